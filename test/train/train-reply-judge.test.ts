import { describe, expect, it } from 'vitest';
import {
  constantSignals,
  judgeReply,
  REPLY_COLUMNS,
  replyColumns,
  unseenSignals,
} from '../../router/cascade/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { trainReplyJudge } from '../../router/train/index.ts';
import type { Reply } from '../../router/types.ts';

const MODELS = ['small', 'large'];

/** Replies that are right as often as their log-probability says; the strong model is right in nine of ten. */
function madeUpReplies(count: number) {
  const random = seededRandom(5);
  const replies: Reply[] = Array.from({ length: count }, (_, i) =>
    i % 10 === 0 ? { text: 'B' } : { text: 'B', confidenceLogprob: Math.log(0.05 + 0.95 * random()) },
  );
  const probability = ({ confidenceLogprob }: Reply) => Math.exp(confidenceLogprob ?? Math.log(0.2));
  return {
    replies,
    problem: {
      promptLogits: MODELS.map(() => new Float64Array(count)),
      replies: replies.map((reply) => replyColumns('Which?', reply)),
      cheapQuality: Float64Array.from(replies, (reply) => Number(random() < probability(reply))),
      strongQuality: Float64Array.from(replies, () => Number(random() < 0.9)),
      folds: Int32Array.from(replies, (_, i) => i % 3),
    },
  };
}

it('learns how often a reply of each certainty is good, and what one of unknown certainty is worth', () => {
  const { judge } = trainReplyJudge(madeUpReplies(3000).problem, MODELS);
  expect(judge.columns).toEqual(['logit small', 'logit large', ...REPLY_COLUMNS]);
  const judged = (reply: Reply) => judgeReply(judge, [0, 0], 'Which?', { text: 'B', ...reply });
  for (const p of [0.2, 0.5, 0.8]) {
    const { probability, predictedLoss } = judged({ confidenceLogprob: Math.log(p) });
    expect(Math.abs(probability - p)).toBeLessThan(0.08);
    expect(Math.abs(predictedLoss - (0.9 - p))).toBeLessThan(0.1);
  }
  expect(Math.abs(judged({}).probability - 0.2)).toBeLessThan(0.08);
});

it('is the same each time, and survives JSON', () => {
  const { problem, replies } = madeUpReplies(400);
  const trained = trainReplyJudge(problem, MODELS);
  const { judge } = trained;
  expect(trainReplyJudge(problem, MODELS)).toEqual(trained);
  const verdict = judgeReply(judge, [0.3, 1], 'Which?', replies[1]!);
  expect(judgeReply(JSON.parse(JSON.stringify(judge)), [0.3, 1], 'Which?', replies[1]!)).toEqual(verdict);
});

it('gives the loss of each row by fits that had not seen it: near what the judge says of it', () => {
  const { problem, replies } = madeUpReplies(3000);
  const { judge, heldOutLosses } = trainReplyJudge(problem, MODELS);
  const differences = replies.map((reply, row) =>
    Math.abs(judgeReply(judge, [0, 0], 'Which?', reply).predictedLoss - heldOutLosses[row]!),
  );
  expect(Math.max(...differences)).toBeLessThan(0.1);
  expect(differences.filter((difference) => difference > 1e-6).length).toBeGreaterThan(2900);
});

describe('what was nearly alike in training', () => {
  /** All are one letter but a few of two, which happen to be good. */
  const { problem } = madeUpReplies(1200);
  const prompt = 'Which of these is right?';
  const replies = Array.from(
    { length: 1200 },
    (_, row): Reply => ({ text: row % 100 === 0 ? 'BC' : 'B', meanLogprob: -0.5 }),
  );
  const cheapQuality = problem.cheapQuality.map((quality, row) => (row % 100 === 0 ? 1 : quality));
  const columns = replies.map((reply) => replyColumns(prompt, reply));
  const { judge } = trainReplyJudge({ ...problem, cheapQuality, replies: columns }, MODELS);
  const judged = (reply: Reply, by = judge) =>
    judgeReply(by, [0, 0], prompt, { meanLogprob: -0.5, ...reply });

  it('counts no further than it went there', () => {
    const [shortest, longest] = [judged({ text: 'B' }), judged({ text: 'BC' })];
    expect(longest.probability).toBeGreaterThan(shortest.probability);
    for (const text of ['BCD', 'x'.repeat(20_000)]) expect(judged({ text })).toEqual(longest);
    const { ranges: _, ...unbounded } = judge;
    const far = judged({ text: 'x'.repeat(20_000) }, unbounded);
    expect(Math.abs(far.predictedLoss - longest.predictedLoss)).toBeGreaterThan(0.1);
  });

  it('is recorded, and what was quite alike is named', () => {
    const at = judge.columns.indexOf('length_log');
    expect(judge.ranges![at]).toEqual([Math.log(2), Math.log(3)]);
    expect(judge.ranges![judge.columns.indexOf('verifier')]).toBeNull(); // no reply had it
    expect(constantSignals(judge)).toEqual(expect.arrayContaining(['mean_logprob_log', 'refusal']));
    expect(constantSignals(judge)).not.toEqual(expect.arrayContaining(['length_log']));
    expect(constantSignals(judge).filter((name) => name.endsWith('_missing'))).toEqual([]);
    expect(unseenSignals(judge)).toEqual(['confidence_logprob', 'min_logprob', 'finish_reason']);
    const { ranges: _, ...unrecorded } = judge;
    expect(unseenSignals(unrecorded)).toEqual([]);
  });

  it('is judged the same beyond, whatever is missing', () => {
    const extremes: Reply[] = [
      {},
      { text: 'B' },
      { text: 'B', verifier: 1, agreement: 0 },
      { finishReason: 'length' },
    ];
    for (const reply of extremes) {
      const verdict = judged(reply);
      expect(verdict.predictedLoss).toBeGreaterThanOrEqual(-1);
      expect(verdict.predictedLoss).toBeLessThanOrEqual(1);
    }
    expect(judged({ text: 'B', verifier: 1 })).toEqual(judged({ text: 'B', verifier: 0 }));
    expect(judged({ text: 'B', meanLogprob: -19 })).toEqual(judged({ text: 'B', meanLogprob: 0 }));
  });
});

it('leaves out what has no weight', () => {
  const { problem } = madeUpReplies(800);
  const lied = problem.cheapQuality.map((quality, row) => (row < 400 ? quality : 1 - quality));
  const half = <T extends { slice(from: number, to: number): T }>(values: T) => values.slice(0, 400);
  const sampleWeights = Float64Array.from(lied, (_, row) => Number(row < 400));
  const weighed = trainReplyJudge({ ...problem, cheapQuality: lied, sampleWeights }, MODELS);
  const alone = trainReplyJudge(
    {
      promptLogits: problem.promptLogits.map(half),
      replies: problem.replies.slice(0, 400),
      cheapQuality: half(problem.cheapQuality),
      strongQuality: half(problem.strongQuality),
      folds: half(problem.folds),
    },
    MODELS,
  );
  const certain = { text: 'B', confidenceLogprob: -0.05 };
  const [a, b] = [weighed, alone].map(
    ({ judge }) => judgeReply(judge, [0, 0], 'Which?', certain).probability,
  );
  expect(Math.abs(a! - b!)).toBeLessThan(0.05);
});
