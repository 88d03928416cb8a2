import { describe, expect, it } from 'vitest';
import { KNOWN_SHAPES, shapesOfKind } from '../../router/prompt/known-shapes.ts';
import { routedText } from '../../router/prompt/routed-text.ts';

const ASK = 'Why is the sky blue?';
const blocks = shapesOfKind('block').flatMap((shape) => shape.tags.map((tag) => [tag, shape] as const));
const wrapperTags = shapesOfKind('wrapper').flatMap(({ tags }) => tags);
const spans = shapesOfKind('span').flatMap(({ opens, closes }) =>
  opens.map((open) => [open, closes] as const),
);
const fixedStarts = shapesOfKind('part').flatMap(({ starts }) => starts);

describe('the table of harness shapes', () => {
  it('names each shape once', () => {
    const names = KNOWN_SHAPES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('starts a message with a text, and what it goes on with right behind it', () => {
    const starts = shapesOfKind('message').flatMap((shape) => shape.starts);
    expect(starts.filter(({ opens }) => opens === '')).toEqual([]);
    expect(starts.filter(({ goesOn }) => goesOn?.sticky === false)).toEqual([]);
  });

  it.each(blocks)('a <%s> block goes at the edges and stays in the middle', (tag, { holds, edge }) => {
    const block = `<${tag} id="1">\n${holds ?? 'noise'}\n</${tag}>`;
    const quoted = `${ASK}\n${block}\nIt puzzles me.`;
    expect(routedText({ prompt: `${block}\n${block}\n${ASK}` })).toBe(ASK);
    expect(routedText({ prompt: `${ASK}\n${block}` })).toBe(edge === 'both' ? ASK : `${ASK}\n${block}`);
    expect(routedText({ prompt: quoted })).toBe(quoted);
  });

  it.each(blocks.filter(([, { holds }]) => holds !== undefined))(
    'a <%s> block without its mark stays',
    (tag) => {
      const prompt = `<${tag}>\nmine\n</${tag}>\n${ASK}`;
      expect(routedText({ prompt })).toBe(prompt);
    },
  );

  it.each(wrapperTags)('<%s> round the whole text goes', (tag) => {
    expect(routedText({ prompt: `<${tag}>\n${ASK}\n</${tag}>` })).toBe(ASK);
  });

  it.each(spans)('a text that opens with "%s" loses it', (open, closes) => {
    expect(routedText({ prompt: `${open} and so on${closes}\n${ASK}` })).toBe(ASK);
  });

  it.each(fixedStarts)('a part that starts with "%s" is no ask', (start) => {
    const noise = `${start} and so on.`;
    const content = [noise, ASK].map((text) => ({ type: 'text', text }));
    expect(routedText({ messages: [{ role: 'user', content }] })).toBe(ASK);
    expect(routedText({ messages: content.map((part) => ({ role: 'user', content: [part] })) })).toBe(ASK);
    expect(routedText({ prompt: noise })).toBe(noise);
  });

  it.each(shapesOfKind('tail'))('$name goes from its first line to the end', ({ opens }) => {
    expect(routedText({ prompt: `${ASK}\n\n${opens}\n\n1. A rule.\n${opens}\n2. Another.` })).toBe(ASK);
    expect(routedText({ prompt: `${opens}\n\nWhat do these rules mean?` })).toContain(
      'What do these rules mean?',
    );
  });
});
