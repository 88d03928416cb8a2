import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_ROUTED_CHARACTERS, routedText } from '../../router/prompt/routed-text.ts';
import { scaled } from '../helpers/long-run.ts';

/** Pieces that people do write: words, code, markup, headings, rules of hyphens. None is a harness's. */
const PLAIN_PIECES = [
  'What is 7 * 8?',
  '<div class="a">',
  '</div>',
  'Answer:',
  '```ts\nconst a: Array<number> = [];\n```',
  '---------------------',
  '# Heading',
  'What does `<system-reminder>` mean?',
  'if (a < b && c > d) {',
  '  indented',
  '\n',
  '漢字かな交じり文',
  'مرحبا',
  '👩🏽‍🚀',
];

/** The above and pieces of harnesses, in any order, closed or not. */
const NOISY_PIECES = [
  ...PLAIN_PIECES,
  '<system-reminder>',
  '</system-reminder>',
  '<environment_details>',
  '</environment_details>',
  '<task>',
  '</task>',
  '<user_query>',
  '</user_query>',
  '<command-args></command-args>',
  '[Request interrupted by user]',
  "[read_file for 'a'] Result:",
  '<answer>',
  '</answer>',
  'Use the following pieces of context to answer the question at the end.',
  'Given these documents, answer the question.\nDocuments:',
  '# *SEARCH/REPLACE block* Rules:',
  '## My request for Codex:',
  '<context>',
  '</context>',
  'Context:',
  'Question: which?',
];

const joined = (pieces: readonly string[]) =>
  fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 12 }).map((chosen) => chosen.join('\n'));
const anyUnits = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 })
  .map((units) => String.fromCharCode(...units));
const hasWords = (text: string) => text.trim() !== '';

describe('routedText', () => {
  it('gives a plain prompt back trimmed and otherwise unchanged', () => {
    const plain = fc.oneof(
      joined(PLAIN_PIECES),
      fc.string({ unit: 'grapheme' }),
      fc.lorem({ mode: 'sentences' }),
    );
    fc.assert(
      fc.property(plain.filter(hasWords), (prompt) => {
        expect(routedText({ prompt })).toBe(prompt.trim().replaceAll('\0', '\ufffd'));
      }),
      { numRuns: scaled(1_000) },
    );
  });

  it('treats a prompt and a single user message alike', () => {
    fc.assert(
      fc.property(joined(NOISY_PIECES).filter(hasWords), (prompt) => {
        expect(routedText({ messages: [{ role: 'user', content: prompt }] })).toBe(routedText({ prompt }));
      }),
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(joined(NOISY_PIECES).filter(hasWords), (prompt) => {
        const once = routedText({ prompt });
        expect(routedText({ prompt: once })).toBe(once);
      }),
      { numRuns: scaled(3_000) },
    );
  });

  it('takes any string: never empty, never too long, never ill-formed', () => {
    fc.assert(
      fc.property(
        fc.oneof(anyUnits, joined(NOISY_PIECES)).filter(hasWords),
        fc.nat({ max: 1_500 }),
        (text, copies) => {
          const routed = routedText({ prompt: text.repeat(copies + 1) });
          expect(routed.length).toBeGreaterThan(0);
          expect(routed.length).toBeLessThanOrEqual(MAX_ROUTED_CHARACTERS);
          expect(routed).not.toMatch(/[\0\p{Surrogate}]/u);
        },
      ),
    );
  });

  it('never takes text from a system prompt, a tool or an answer', () => {
    const role = fc.constantFrom('system', 'developer', 'assistant', 'tool', 'function');
    const other = fc.record({ role, content: fc.constant('UNWANTED') });
    fc.assert(
      fc.property(fc.array(other), fc.array(other), (before, after) => {
        const messages = [...before, { role: 'user', content: 'wanted' }, ...after];
        expect(routedText({ messages })).toBe('wanted');
      }),
    );
  });
});
