import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requestTags, requestTask } from '../../router/request-tags.ts';

describe('the tags of a request', () => {
  test('are in lower case, each once, in the order given, those of the body last', () => {
    expect(requestTags(' Team-A, batch ,team-a', ['Night.1', 'batch'])).toEqual([
      'team-a',
      'batch',
      'night.1',
    ]);
    expect(requestTags(['a', 'b,c'])).toEqual(['a', 'b', 'c']);
  });

  test.each([undefined, '', '  '])('are none for the header %o', (header) => {
    expect(requestTags(header)).toEqual([]);
  });

  test.each([
    ['ok, two words', 2, 'two words'],
    ['ok,,x', 2, ''],
    [`${'x'.repeat(65)}`, 1, 'xxx'],
    ['ok, schön', 2, 'schön'],
  ])('%s: the one that is wrong is named', (header, place, quote) => {
    expect(() => requestTags(header)).toThrow(`x-plimsoll-tags: tag ${place}, "${quote}`);
  });

  test('are at most ten, header and body together', () => {
    const ten = Array.from({ length: 10 }, (_, i) => `t${i}`);
    expect(requestTags(ten.join(','), ['T3'])).toHaveLength(10);
    expect(() => requestTags(ten.join(','), ['more'])).toThrow('may have 10 tags, and this one has 11');
  });

  test('whatever a header says, they are well-formed or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 200 }), fc.stringMatching(/^[A-Za-z0-9 ,._-]{0,80}$/)),
        (header) => {
          let tags: readonly string[];
          try {
            tags = requestTags(header);
          } catch (error) {
            expect(error).toMatchObject({ name: 'PlimsollError', place: { field: 'x-plimsoll-tags' } });
            return;
          }
          for (const tag of tags) expect(tag).toMatch(/^[a-z0-9_.-]{1,64}$/);
          expect(new Set(tags).size).toBe(tags.length);
        },
      ),
    );
  });
});

test('the task is what the body says, else the header', () => {
  expect(requestTask(' SQL ')).toBe('sql');
  expect(requestTask('sql', 'Maths')).toBe('maths');
  expect(requestTask('')).toBeUndefined();
  expect(() => requestTask('two words')).toThrow('x-plimsoll-task: "two words" is no name of a task');
});
