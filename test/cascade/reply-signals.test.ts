import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confidence, REPLY_COLUMNS, replyColumns } from '../../router/cascade/index.ts';
import { textSignals } from '../../router/cascade/text-signals.ts';
import type { Reply } from '../../router/types.ts';
import { binary, rich } from '../classifier/arbitrary-texts.ts';

const texts = fc.oneof(rich, binary);
const logprobs = fc.double({ max: 0, noNaN: true, min: -Number.MAX_VALUE });
const shares = fc.double({ min: 0, max: 1, noNaN: true });
const replies: fc.Arbitrary<Reply> = fc.record(
  {
    text: texts,
    confidenceLogprob: logprobs,
    meanLogprob: logprobs,
    minLogprob: logprobs,
    finishReason: fc.oneof(fc.constantFrom('stop', 'length', 'max_tokens', 'content_filter'), fc.string()),
    agreement: shares,
    verifier: shares,
  },
  { requiredKeys: [] },
);

function column(reply: Reply, name: string, prompt = 'What is asked?'): number {
  const at = REPLY_COLUMNS.indexOf(name);
  expect(at, name).toBeGreaterThanOrEqual(0);
  return replyColumns(prompt, reply)[at]!;
}

describe('the columns of a reply', () => {
  it('are finite, and as many as their names, for any prompt and any reply', () => {
    expect(new Set(REPLY_COLUMNS).size).toBe(REPLY_COLUMNS.length);
    fc.assert(
      fc.property(texts, replies, (prompt, reply) => {
        const columns = replyColumns(prompt, reply);
        expect(columns).toHaveLength(REPLY_COLUMNS.length);
        expect(columns.every(Number.isFinite)).toBe(true);
      }),
    );
  });

  it('mark what is missing: an indicator of 1 goes with columns of 0', () => {
    fc.assert(
      fc.property(texts, replies, (prompt, reply) => {
        const columns = replyColumns(prompt, reply);
        let from = 0;
        REPLY_COLUMNS.forEach((name, at) => {
          if (!name.endsWith('_missing')) return;
          if (columns[at] === 1)
            expect(Array.from(columns.subarray(from, at)).every((x) => x === 0)).toBe(true);
          else expect(columns[at]).toBe(0);
          from = at + 1;
        });
        expect(from).toBe(REPLY_COLUMNS.length);
      }),
    );
    const nothing = replyColumns('Anything?', {});
    REPLY_COLUMNS.forEach((name, at) => {
      expect(nothing[at], name).toBe(name.endsWith('_missing') ? 1 : 0);
    });
  });

  it('a certain model differs from one of which nothing is known', () => {
    expect(column({ confidenceLogprob: 0 }, 'confidence_missing')).toBe(0);
    expect(column({ confidenceLogprob: 0 }, 'confidence_doubt')).toBeCloseTo(-7, 9);
    expect(column({ confidenceLogprob: Math.log(0.5) }, 'confidence_probability')).toBeCloseTo(0.5, 12);
  });

  it.each([
    ['stop', 0, 0, 0],
    ['length', 1, 0, 0],
    ['MAX_TOKENS', 1, 0, 0],
    ['content_filter', 0, 1, 0],
    ['refusal', 0, 1, 0],
    ['tool_calls', 0, 0, 0],
    ['sunset', 0, 0, 1],
  ])('finish reason %s', (finishReason, cut, blocked, missing) => {
    expect(column({ finishReason }, 'cut_at_limit')).toBe(cut);
    expect(column({ finishReason }, 'blocked')).toBe(blocked);
    expect(column({ finishReason }, 'blocked_missing')).toBe(missing);
  });
});

describe('textSignals', () => {
  const asked = 'Write a short text about the harbour, please.';

  it.each([
    ["I'm sorry, but I can't help with that.", 1],
    ['I cannot provide medical advice.', 1],
    ['Es tut mir leid, dabei kann ich nicht helfen.', 1],
    ['申し訳ありませんが、お手伝いできません。', 1],
    ['The apology said: he was sorry.', 0],
    ['B', 0],
  ])('refusal: %s', (reply, expected) => {
    expect(textSignals(asked, reply).refusal).toBe(expected);
  });

  it.each([
    ["I don't know.", 1],
    ['As of my last knowledge update in October 2023, nothing.', 1],
    ['Unknown.', 1],
    ['No lo sé', 1],
    ['Ahab knows.', 0],
  ])('ignorance: %s', (reply, expected) => {
    expect(textSignals(asked, reply).ignorance).toBe(expected);
  });

  it.each([
    ['Yes, it does.', 1, 0],
    ['"No."', 0, 1],
    ['Нет, не всегда.', 0, 1],
    ['はい。', 1, 0],
    ['Nobody knows', 0, 0],
    ['Noon', 0, 0],
    ['', 0, 0],
  ])('yes and no: %s', (reply, yes, no) => {
    expect(textSignals(asked, reply)).toMatchObject({ affirms: yes, denies: no });
  });

  it.each([
    ['A', 1],
    ['(a)', 1],
    ['1. The first', 1],
    ['B', 0],
    ['C: because', 0],
    ['A ship', undefined],
    ['12', undefined],
    ['', undefined],
  ])('first of some options: %s', (reply, expected) => {
    expect(textSignals(asked, reply).first_option).toBe(expected);
  });

  it('counts hedges in several languages, and no parts of words', () => {
    const hedges = (reply: string) => Math.expm1(textSignals(asked, reply).hedges_log!);
    expect(hedges('Perhaps, probably about noon.')).toBeCloseTo(2, 9);
    expect(hedges('Возможно, завтра.')).toBeCloseTo(1, 9);
    expect(hedges('almighty guesswork')).toBeCloseTo(0, 9);
  });

  it('sees loops, replies that break off, and questions back', () => {
    expect(textSignals(asked, 'the ship sails on '.repeat(20)).repetition).toBeGreaterThan(0.9);
    expect(textSignals(asked, 'A ship sails out of the old harbour at dawn.').repetition).toBe(0);
    const long = 'The harbour is old. '.repeat(15);
    expect(textSignals(asked, `${long}It was built in`).cut_off).toBe(1);
    expect(textSignals(asked, `${long}It was built in 1880.`).cut_off).toBe(0);
    expect(textSignals(asked, '```js\nlet a').cut_off).toBe(1);
    expect(textSignals(asked, 'Which harbour do you mean?').asks_back).toBe(1);
    expect(textSignals(asked, '').empty).toBe(1);
  });

  it('compares script and language with the prompt, where both show one', () => {
    const german = 'Der Hafen ist alt und liegt auf der Insel, die mit dem Schiff zu erreichen ist.';
    const english = 'What is the name of the harbour that you can see from the island, and how old is it?';
    expect(textSignals(english, german).other_language).toBe(1);
    expect(
      textSignals(english, 'It was the old harbour that is on the map for sailors.').other_language,
    ).toBe(0);
    expect(textSignals(english, 'B').other_language).toBeUndefined();
    expect(textSignals(english, 'Это старая гавань').other_script).toBe(1);
    expect(textSignals('Где гавань?', 'Это старая гавань').other_script).toBe(0);
    expect(textSignals('17 + 4?', '21').other_script).toBeUndefined();
  });

  it('checks JSON only where it was asked for, also in a block of code', () => {
    const json = 'List the ports. Reply in JSON.';
    expect(textSignals(asked, 'no JSON').invalid_json).toBeUndefined();
    expect(textSignals(json, '{"ports": ["Leith"]}').invalid_json).toBe(0);
    expect(textSignals(json, 'Here:\n```json\n{"ports": []}\n```\nDone.').invalid_json).toBe(0);
    expect(textSignals(json, '{"ports": ["Leith"').invalid_json).toBe(1);
  });
});

describe('confidence', () => {
  it('is the log-probability of the reply, else that of its tokens', () => {
    expect(confidence({ confidenceLogprob: -1, meanLogprob: -2, minLogprob: -3 })).toBe(-1);
    expect(confidence({ meanLogprob: -2, minLogprob: -3 })).toBe(-2);
    expect(confidence({ minLogprob: -3 })).toBe(-3);
    expect(confidence({ text: 'B' })).toBeUndefined();
  });
});
