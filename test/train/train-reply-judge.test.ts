import { expect, it } from 'vitest';
import { judgeReply, REPLY_COLUMNS, replyColumns } from '../../router/cascade/index.ts';
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
