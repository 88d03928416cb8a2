import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { questionKey } from '../../evals/cases/index.ts';
import { questionStem } from '../../evals/cases/question-key.ts';
import { cpuMs } from '../helpers/cpu-ms.ts';

const ASTRONAUT = 'Who was the first person in space?';

/** One question as benchmarks and harnesses wrap it. */
const WRAPPED: readonly (readonly [string, string])[] = [
  ['options with dots', `${ASTRONAUT}\nA. Gagarin\nB. Glenn\nC. Titov\nD. Shepard\nAnswer:`],
  ['other options in another order', `${ASTRONAUT}\nA. Laika\nB. Titov\nC. Gagarin`],
  ['options with brackets', `${ASTRONAUT}\nA) Gagarin\nB) Glenn`],
  ['options in brackets', `${ASTRONAUT}\n(A) Gagarin\n(B) Glenn\n\nReply with one letter.`],
  [
    'an instruction and labels',
    `Answer with A or B. Nothing else.\n\nQuestion: ${ASTRONAUT}\n\nChoices:\nA: Gagarin\nB: Glenn\n\nAnswer:`,
  ],
  ['a label alone', `Question: ${ASTRONAUT}\nAnswer:`],
  ['a problem', `Reason step by step.\n\nProblem: ${ASTRONAUT}\n\nStep-By-Step Reasoning:`],
  ['a last line on the form', `${ASTRONAUT}\nAfter careful thought, put your final answer in \\boxed{...}.`],
  ['other white space and ends', `  Who was  the first\r\nperson in space\n`],
  ['capitals and full-width signs', 'WHO WAS THE FIRST PERSON IN SPACE？'],
];

describe('questionKey', () => {
  it.each(WRAPPED)('is the same for a question with %s', (_, wrapped) => {
    expect(questionKey(wrapped)).toBe(questionKey(ASTRONAUT));
  });

  it('is 16 hex digits, the same on every machine', () => {
    expect(questionKey(ASTRONAUT)).toBe('c751aa0a0b9faa6e');
  });

  it('differs for other words, digits and scripts', () => {
    const texts = [
      'tie a bowline',
      'tie a sheet bend',
      'tie 2 bowlines',
      '结绳',
      '打结',
      'गाँठ',
      'गाठ',
      '?!',
      '…',
    ];
    expect(new Set(texts.map(questionKey)).size).toBe(texts.length);
  });

  it('keeps a text whose wrapping is all that there is', () => {
    const texts = ['A. one\nB. two', 'A. one\nB. three', 'Answer:', 'Question:'];
    expect(new Set(texts.map(questionKey)).size).toBe(texts.length);
  });

  it('is defined for any text and deaf to case and space', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(questionKey(text)).toMatch(/^[0-9a-f]{16}$/);
        expect(questionKey(`\n ${text}\t`)).toBe(questionKey(text));
      }),
    );
  });
});

describe('questionStem', () => {
  it('keeps a passage and examples before the question', () => {
    const passage = 'The tide turned at noon. '.repeat(20);
    expect(questionStem(`${passage}\nQuestion: When did it turn?`)).toContain('The tide turned');
  });

  it('keeps lettered lines that are no options', () => {
    const note = 'Who signed?\nA. Smith\nThat is all.';
    expect(questionStem(note)).toBe(note);
  });

  it.each([
    'A. x\n',
    'B. x\n',
    'A. x\nB. y\n',
    'final answer ',
    '\nfinal answer',
    '\nanswer:',
    '\n',
    ' \t',
    '\n question',
  ])('takes time in proportion to a text made of %j', (piece) => {
    const text = `x${piece.repeat(Math.ceil(320_000 / piece.length))}x`;
    expect(cpuMs(() => questionStem(text))).toBeLessThan(500);
  });
});
