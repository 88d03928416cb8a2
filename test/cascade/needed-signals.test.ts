import { expect, test } from 'vitest';
import { judgeReply, judgesWithout } from '../../router/cascade/index.ts';
import { judgeBy } from '../helpers/cascade-artifact.ts';

const LOGITS = [0, 0];
const lossOf = (judge: ReturnType<typeof judgeBy>, reply: object) =>
  judgeReply(judge, LOGITS, 'What is 7 plus 5?', reply).predictedLoss;

test('a reply without a signal that the judge relies on and never missed has the worst loss', () => {
  const judge = judgeBy({ mean_logprob_log: -8 }, -4);
  expect(lossOf(judge, { text: '12', meanLogprob: -0.01 })).toBeLessThan(0);
  expect(lossOf(judge, { text: '12' })).toBe(1);
  expect(judgesWithout(judge, 'logprobs')).toBe(false);
  expect(judgesWithout(judge, 'text')).toBe(true);
});

test('a judge that learned from replies without it judges those too', () => {
  const judge = judgeBy({ mean_logprob_log: -8, mean_logprob_missing: 0.5 }, -4);
  expect(lossOf(judge, { text: '12' })).toBeLessThan(0);
  expect(judgesWithout(judge, 'logprobs')).toBe(true);
});

test('a signal that it never had changes nothing', () => {
  const judge = judgeBy({ length_log: 0.1 }, -4);
  const plain = lossOf(judge, { text: '12' });
  expect(lossOf(judge, { text: '12', meanLogprob: -3, minLogprob: -9, verifier: 0 })).toBe(plain);
  expect(judgesWithout(judge, 'logprobs')).toBe(true);
  expect(judgesWithout(judge, 'text')).toBe(false);
  expect(lossOf(judge, { finishReason: 'tool_calls' })).toBe(1);
});

test('a text without letters is a text', () => {
  const judge = judgeBy({ length_log: 0.1, other_script: 1 }, -4);
  expect(lossOf(judge, { text: '12' })).toBeLessThan(1);
});
