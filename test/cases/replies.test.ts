import { describe, expect, it } from 'vitest';
import { canonicalRows, replyOf as knownReply, loadCases, writeCases } from '../../evals/cases/index.ts';
import { jsonLines, soundRow, written } from './written.ts';

const SIGNALS = {
  mean_logprob: -0.21,
  min_logprob: -3.5,
  finish_reason: 'stop',
  agreement: 0.67,
  verifier: 1,
};
const rowWith = (outcome: object, index = 0) =>
  soundRow(index, { outcomes: { small: { quality: 1, ...outcome }, large: { quality: 1 } } });

async function replyOf(outcome: object) {
  const file = written('replies.jsonl', jsonLines([rowWith(outcome)]));
  const { cases } = await loadCases([file], { keepReplies: true });
  return cases[0]?.outcomes.get('small')?.reply;
}

describe('what is known of a reply', () => {
  it('is read from answer, confidence_logprob and signals', async () => {
    expect(await replyOf({ answer: 'B', confidence_logprob: -0.232675, signals: SIGNALS })).toEqual({
      text: 'B',
      confidenceLogprob: -0.232675,
      meanLogprob: -0.21,
      minLogprob: -3.5,
      finishReason: 'stop',
      agreement: 0.67,
      verifier: 1,
    });
  });

  it('is left out where it is null or missing, and never 0; 0 itself is a value', async () => {
    expect(await replyOf({})).toBeUndefined();
    expect(await replyOf({ answer: null, confidence_logprob: null, signals: null })).toBeUndefined();
    expect(await replyOf({ signals: {} })).toBeUndefined();
    expect(await replyOf({ confidence_logprob: 0, signals: { verifier: 0, agreement: null } })).toEqual({
      confidenceLogprob: 0,
      verifier: 0,
    });
    expect(await replyOf({ answer: '' })).toEqual({ text: '' });
  });

  it('is checked but not kept unless asked for', async () => {
    const file = written('replies.jsonl', jsonLines([rowWith({ answer: 'B' })]));
    const { cases } = await loadCases([file]);
    expect(cases[0]?.outcomes.get('small')).toEqual({ quality: 1 });
  });

  it.each([
    [
      'wide.csv',
      'prompt,small.quality,small.answer,small.confidence_logprob\nHow many?,1,42,-0.5\nHow far?,0,"0,5",\n',
    ],
    [
      'long.csv',
      'prompt,model,quality,answer,confidence_logprob\nHow many?,small,1,42,-0.5\nHow far?,small,0,"0,5",\n',
    ],
  ])('in %s: a reply that looks like a number stays text', async (name, table) => {
    const { cases } = await loadCases([written(name, table)], { keepReplies: true });
    expect(cases.map(({ outcomes }) => outcomes.get('small')?.reply)).toEqual([
      { text: '42', confidenceLogprob: -0.5 },
      { text: '0,5' },
    ]);
  });

  it('of one request labelled twice stays if both are the same, and goes if not', async () => {
    const twice = (one: string, other: string) =>
      written('twice.jsonl', jsonLines([rowWith({ answer: one }), rowWith({ answer: other, quality: 0 })]));
    const replies = async (file: string) => {
      const { cases } = await loadCases([file], { keepReplies: true });
      return cases.map(({ outcomes }) => outcomes.get('small'));
    };
    expect(await replies(twice('B', 'B'))).toEqual([{ quality: 0.5, reply: { text: 'B' } }]);
    expect(await replies(twice('B', 'C'))).toEqual([{ quality: 0.5 }]);
  });

  it('survives a conversion to the canonical form', async () => {
    const outcome = { answer: '42', confidence_logprob: -1, signals: SIGNALS };
    const source = written('from.jsonl', jsonLines([rowWith(outcome)]));
    const target = written('to.jsonl', '');
    async function* rows() {
      for await (const { row } of canonicalRows([source])) if (row && 'id' in row) yield { ...row };
    }
    await writeCases(target, rows());
    const [before, after] = await Promise.all(
      [source, target].map((file) => loadCases([file], { keepReplies: true })),
    );
    expect(after!.cases).toEqual(before!.cases);
    expect(after!.cases[0]?.outcomes.get('small')?.reply).toMatchObject({ text: '42', meanLogprob: -0.21 });
  });
});

describe('a reply with a fault', () => {
  it.each([
    ['above 0', { confidence_logprob: 0.1 }, 'confidence_logprob', /from -1000000000 to 0.* is 0.1$/],
    [
      'as text',
      { confidence_logprob: '-inf' },
      'confidence_logprob',
      /number from .* to 0.*null if it is not known$/,
    ],
    ['a boolean', { signals: { mean_logprob: true } }, 'signals.mean_logprob', /number from -10000 to 0/],
    ['positive least', { signals: { min_logprob: 2 } }, 'signals.min_logprob', /from -10000 to 0.* is 2$/],
    ['an impossible mean', { signals: { mean_logprob: -10001 } }, 'signals.mean_logprob', /from -10000 to 0/],
    ['an impossible least', { signals: { min_logprob: -1e308 } }, 'signals.min_logprob', /is -1e\+308$/],
    ['agreement above 1', { signals: { agreement: 1.2 } }, 'signals.agreement', /from 0 to 1, is 1.2/],
    ['verifier below 0', { signals: { verifier: -1 } }, 'signals.verifier', /from 0 to 1, is -1/],
    [
      'a number as finish reason',
      { signals: { finish_reason: 1 } },
      'signals.finish_reason',
      /must be a text/,
    ],
    ['a number as reply', { answer: 42 }, 'answer', /must be a text/],
    ['a misspelt signal', { signals: { mean_logprop: -1 } }, 'signals', /has no field mean_logprop/],
    ['signals as a list', { signals: [] }, 'signals', /must be an object of signals/],
  ])('%s is a bad row with file, line and field', async (_, outcome, field, reason) => {
    const file = written('bad.jsonl', jsonLines([soundRow(1), rowWith(outcome)]));
    const { rejected, cases } = await loadCases([file], { maxRejectShare: 0.5 });
    expect(cases).toHaveLength(1);
    expect(rejected).toEqual([
      { file, line: 2, field: `outcomes.small.${field}`, reason: expect.stringMatching(reason) },
    ]);
  });

  it.each([
    ['-1e308', /number from -1000000000 to 0/],
    ['-1e999', /number from -1000000000 to 0/],
    ['1e999', /number from -1000000000 to 0/],
    ['NaN', /write null/],
    ['-Infinity', /write null/],
  ])('%s as a log-probability is a bad row', async (written_, reason) => {
    const line = JSON.stringify(rowWith({ confidence_logprob: -7 })).replace('-7', written_);
    const file = written('bad.jsonl', `${jsonLines([soundRow(1)])}${line}\n`);
    const { rejected } = await loadCases([file], { maxRejectShare: 0.5 });
    expect(rejected).toEqual([
      {
        file,
        line: 2,
        field: expect.stringContaining('confidence_logprob'),
        reason: expect.stringMatching(reason),
      },
    ]);
  });
});

describe('a reply without a label', () => {
  const rows = [
    rowWith({ answer: 'B' }),
    { prompt: 'How far?', outcomes: { small: { answer: 'C', quality: null } } },
  ];

  it('is kept beside the outcomes where cases without labels are', async () => {
    const file = written('unlabelled.jsonl', jsonLines(rows));
    const { cases } = await loadCases([file], { keepReplies: true, keepUnlabelled: true });
    expect(cases.map((one) => knownReply(one, 'small'))).toEqual([{ text: 'B' }, { text: 'C' }]);
    expect(cases.map(({ outcomes }) => outcomes.size)).toEqual([2, 0]);
  });

  it('makes the outcome a missing one, and the row no bad one', async () => {
    const file = written('unlabelled.jsonl', jsonLines(rows));
    const { cases, rejectedCount, excluded } = await loadCases([file], { models: ['small'] });
    expect(cases).toHaveLength(1);
    expect(cases[0]).not.toHaveProperty('unlabelledReplies');
    expect({ rejectedCount, excluded }).toMatchObject({ rejectedCount: 0, excluded: { missingOutcome: 1 } });
  });

  it('is checked all the same', async () => {
    const bad = { prompt: 'How far?', outcomes: { small: { confidence_logprob: 0.5 } } };
    const file = written('bad.jsonl', jsonLines([rows[0]!, bad]));
    const { rejected } = await loadCases([file], { keepUnlabelled: true, maxRejectShare: 1 });
    expect(rejected).toMatchObject([{ field: 'outcomes.small.confidence_logprob' }]);
  });
});
