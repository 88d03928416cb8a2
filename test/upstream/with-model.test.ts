import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withModel } from '../../router/upstream/with-model.ts';

test('only the value of model changes', () => {
  const text =
    '{ "seed" : 12345678901234567890, "model":\n "auto" , "x": 1.0, "messages":[{"model":"auto","content":"\\"model\\": \\\\"}]}';
  expect(withModel(text, 'gpt "4"')).toBe(
    '{ "seed" : 12345678901234567890, "model":\n "gpt \\"4\\"" , "x": 1.0, "messages":[{"model":"auto","content":"\\"model\\": \\\\"}]}',
  );
});

test('a name that is written with escapes, and one that stands twice', () => {
  expect(withModel('{"mod\\u0065l":"a","model":"b","k":"model"}', 'c')).toBe(
    '{"mod\\u0065l":"c","model":"c","k":"model"}',
  );
});

test('any object: as parsing, replacing and writing it', () => {
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.nat(2), (rest, model, indent) => {
      const body = plain({ ...rest, model: 'auto', after: rest });
      const text = withModel(JSON.stringify(body, null, indent), model);
      expect(text).toBe(JSON.stringify({ ...body, model }, null, indent));
    }),
  );
});

test('twenty megabytes with an escape at every second character', () => {
  const content = '\\"'.repeat(5_000_000);
  const text = withModel(`{"content":"${content}","model":"auto"}`, 'm');
  expect(text).toBe(`{"content":"${content}","model":"m"}`);
});
