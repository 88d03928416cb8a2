import { describe, expect, it } from 'vitest';
import { MAX_ROUTED_CHARACTERS, routedText } from '../../router/prompt/routed-text.ts';

const MEGABYTE = 1_000_000;
const fill = (piece: string, characters: number) => piece.repeat(Math.ceil(characters / piece.length));

/** Made to be slow for anything worse than linear; the time limit of the test is the measure. */
const HOSTILE: [string, string][] = [
  ['5 MB of a reminder opened and never closed', fill('<system-reminder>', 5 * MEGABYTE)],
  ['the same, each on its line', fill('<system-reminder>\n', 5 * MEGABYTE)],
  ['1 MB of <', fill('<', MEGABYTE)],
  ['a tag that never ends', `<task ${fill('a="b" ', MEGABYTE)}`],
  ['nested tasks', fill('<task>\n', MEGABYTE) + fill('</task>\n', MEGABYTE)],
  ['nested queries', fill('<user_query>\n', MEGABYTE) + fill('</user_query>\n', MEGABYTE)],
  ['closing tags in mid-sentence', `<task>${fill('</task>x', MEGABYTE)}`],
  ['opening tags in mid-line before a close', `${fill('x <cwd ', MEGABYTE)}\n</cwd>`],
  ['an endless row of blocks', `${fill('<a></a>', MEGABYTE)}x`],
  [
    'a template with many questions',
    `Use the following pieces of context to answer${fill('Question:', MEGABYTE)}`,
  ],
  ['questions of JSON in one another', fill('{"question":', MEGABYTE)],
  ['a JSON object as long as may be', `{"question":"${fill('a', 99_000)}","context":[${fill('[', 900)}`],
  ['emails in one another', `Hi,\n${fill('From: a\nTo: b\nSubject: c\n', MEGABYTE)}`],
  ['quotes of emails', `Hi,\n${fill('On Monday, 3 November, a wrote:\n> x\n', MEGABYTE)}y`],
  ['lines that begin like quotes', `Hi,\n${fill('On Monday a', MEGABYTE)}`],
  ['headings of Alpaca', `${fill('### Instruction:\n### Input:\n', MEGABYTE)}### Response:`],
  [
    'instructions without end',
    `"""\n${fill('use the context below ', MEGABYTE)}\n"""\n${fill('anhand ', MEGABYTE)}`,
  ],
  ['lines of triple quotes', fill('"""\n', MEGABYTE)],
  ['Chinese sentences', `已知信息：\n${fill('根据。', MEGABYTE)}\n\n问题：${fill('问题是：', MEGABYTE)}`],
  ['names of tags beyond ASCII', fill('<已知信息 ', MEGABYTE)],
  ['blanks within a text', `a${fill(' \t\r\n', MEGABYTE)}b`],
  ['blanks within a block', `<cwd>${fill(' ', MEGABYTE)}</cwd>${fill(' ', MEGABYTE)}x`],
  ['a tool result that never says so', `[read_file for ${fill("'] ", MEGABYTE)}`],
];

describe('hostile text', () => {
  it.each(HOSTILE)('%s', (_name, prompt) => {
    const text = routedText({ prompt });
    expect(text.length).toBeGreaterThan(0);
    expect(text.length).toBeLessThanOrEqual(MAX_ROUTED_CHARACTERS);
  });

  it('a megabyte of blocks on either side leaves the ask', () => {
    const blocks = fill('<cwd>/</cwd>\n', MEGABYTE);
    expect(routedText({ prompt: `${blocks}ask\n${blocks}` })).toBe('ask');
  });

  it('a hundred thousand messages without an ask are passed over', () => {
    const noise = { role: 'user', content: '<system-reminder>x</system-reminder>' };
    const messages = [{ role: 'user', content: 'ask' }, ...Array.from({ length: 100_000 }, () => noise)];
    expect(routedText({ messages })).toBe('ask');
  });

  it('a hundred thousand parts make one ask', () => {
    const content = Array.from({ length: 100_000 }, () => ({ type: 'text', text: '<cwd>/</cwd>' }));
    expect(
      routedText({ messages: [{ role: 'user', content: [...content, { type: 'text', text: 'ask' }] }] }),
    ).toBe('ask');
  });
});
