import { expect, test } from 'vitest';
import { forecast, inputTokensOf, isNarrow } from '../../evals/labelling/forecast.ts';
import { createCatalog } from '../../router/catalog/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { configFor } from './labelling-world.ts';

const model = createCatalog(configFor({ url: 'http://127.0.0.1:1/v1' })).get('fake/small');
const callOf = (words: number) => ({
  model,
  body: { messages: [{ role: 'user', content: 'word '.repeat(words) }], max_tokens: 100 },
});

/** Replies that cost one cent, and a thousandth of it for each token of the prompt, with some noise. */
function seenReply(words: number, noise: number) {
  const call = callOf(words);
  const usd = 0.01 + 1e-5 * inputTokensOf(call) + noise;
  const reply = {
    key: `${words}-${noise}`,
    case: 'x',
    model: model.name,
    text: '',
    output_tokens: 10,
    input_tokens: words,
    charged_usd: usd,
    latency_ms: 100,
  };
  return { reply, inputTokens: inputTokensOf(call) };
}

const REST = {
  rows: 400,
  known: 30,
  recorded: 0,
  recordedTokens: undefined,
  spentUsd: 0.5,
  maxTokens: 100,
  concurrency: 8,
};

test('longer prompts that are still to be asked cost more than those that were', () => {
  const seen = Array.from({ length: 30 }, (_, i) => seenReply(10 + i, 0));
  const toAsk = Array.from({ length: 100 }, () => callOf(2_000));
  const { usd, from, spentUsd } = forecast({ ...REST, toAsk, replies: new Map([[model.name, seen]]) });
  const truth = 100 * seenReply(2_000, 0).reply.charged_usd;
  expect(from).toBe('replies');
  expect(spentUsd).toBe(0.5);
  expect(usd.expected).toBeCloseTo(truth, 6);
  expect(usd.high - usd.low).toBeLessThan(1e-6);
});

test('the interval holds what the rest costs in 95 % of runs', () => {
  const random = seededRandom(5);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const draw = () => seenReply(10 + Math.floor(200 * random()), 0.002 * normal());
  let held = 0;
  for (let run = 0; run < 400; run++) {
    const seen = Array.from({ length: 30 }, draw);
    const rest = Array.from({ length: 60 }, draw);
    const toAsk = rest.map(({ reply }) => callOf(reply.input_tokens));
    const { usd } = forecast({ ...REST, toAsk, replies: new Map([[model.name, seen]]) });
    const truth = rest.reduce((sum, { reply }) => sum + reply.charged_usd, 0);
    held += Number(usd.low <= truth && truth <= usd.high);
  }
  expect(held / 400).toBeGreaterThan(0.92);
  expect(held / 400).toBeLessThan(0.98);
});

test('before any reply it is a guess: as long as recorded replies are, else a quarter of the longest', () => {
  const toAsk = Array.from({ length: 100 }, () => callOf(10));
  const guess = (recordedTokens: number | undefined) =>
    forecast({ ...REST, toAsk, recordedTokens, replies: new Map() });
  const [blind, informed] = [guess(undefined), guess(2)];
  expect(blind.from).toBe('prompts');
  expect(isNarrow(blind)).toBe(false);
  expect(blind.tokens.expected - informed.tokens.expected).toBeCloseTo(100 * (25 - 2), 6);
  expect(informed.usd.low).toBe(blind.usd.low);
});
