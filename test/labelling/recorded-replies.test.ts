import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Forecast, label } from '../../evals/labelling/index.ts';
import { jsonLines, labellingWorld } from './labelling-world.ts';

const GRADERS = [{ use: [{ type: 'number' as const }] }];
const ROWS = Array.from({ length: 12 }, (_, i) => ({
  id: `q${i}`,
  prompt: `Question ${i}: what is ${i} plus ${i}?`,
  reference: 2 * i,
}));
/** What the small model said in production: right on every second row. */
const recorded = (i: number, changes: object = {}) => ({
  model: 'fake/small',
  text: i % 2 ? 'It is 7000.' : `It is ${2 * i}.`,
  finish_reason: 'stop',
  input_tokens: 30,
  output_tokens: 5,
  cost_usd: 9,
  latency_ms: 812.5,
  ...changes,
});
const answer = (text: string) => `It is ${2 * Number(/Question (\d+)/.exec(text)?.[1])}.`;

test('a captured reply of a candidate is graded without a call, and the forecast and the report say so', async () => {
  const rows = ROWS.map((row, i) => (i < 8 ? { ...row, reply: recorded(i) } : row));
  const { provider, options } = await labellingWorld(answer, rows, GRADERS);
  const forecasts: Forecast[] = [];
  const labelled = await label({ ...options, onForecast: (one) => void forecasts.push(one) });
  expect(forecasts[0]).toMatchObject({ calls: 16, recorded: 8, known: 0 });
  expect(labelled).toMatchObject({ complete: 12, reused: 8, newCalls: 16, missing: [] });
  const asked = provider.requests.map(({ body }) => body['model']);
  expect(asked.filter((model) => model === 'small')).toHaveLength(4);
  expect(asked.filter((model) => model === 'large')).toHaveLength(12);
  const cases = readFileSync(options.out, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const one = cases.find(({ id }) => id === 'q1').outcomes.cheap;
  expect(one).toMatchObject({ quality: 0, answer: 'It is 7000.', latency_ms: 812.5, label_source: 'grader' });
  expect(one.cost_usd).toBeCloseTo((30 * 1 + 5 * 2) / 1e6, 12); // by the price list, not by what a cascade cost
  expect(cases.find(({ id }) => id === 'q2').outcomes.cheap.quality).toBe(1);
  expect(await label(options)).toMatchObject({ newCalls: 0, reused: 8, sha256: labelled.sha256 });
  expect(provider.requests).toHaveLength(16);
});

test('--no-reuse asks for all, and what was paid for then is what counts', async () => {
  const rows = ROWS.map((row, i) => ({ ...row, reply: recorded(i) }));
  const { provider, options } = await labellingWorld(answer, rows, GRADERS);
  const fresh = await label({ ...options, reuse: false });
  expect(fresh).toMatchObject({ newCalls: 24, reused: 0 });
  expect(fresh.candidates[0]?.meanQuality).toBe(1);
  expect(await label(options)).toMatchObject({ newCalls: 0, reused: 0, sha256: fresh.sha256 });
  expect(provider.requests).toHaveLength(24);
});

test.each([
  ['was cut off', { finish_reason: 'length' }],
  ['was cut off at Anthropic', { finish_reason: 'max_tokens' }],
  ['is longer than the others may be', { output_tokens: 51 }],
  ['is of no candidate', { model: 'fake/other' }],
  ['was not kept', { text: undefined }],
])('a reply that %s is asked for anew', async (_, changes) => {
  const rows = ROWS.slice(0, 2).map((row, i) => ({ ...row, reply: recorded(i, changes) }));
  const { provider, options } = await labellingWorld(answer, rows, GRADERS);
  expect(await label(options)).toMatchObject({ newCalls: 4, reused: 0, complete: 2 });
  expect(provider.requests).toHaveLength(4);
});

test("a log's own name of a model is enough, and a call of a tool is its reply", async () => {
  const call = { name: 'answer', input: '{"value": 0}' };
  const rows = ROWS.slice(0, 1).map((row) => ({
    ...row,
    reply: { model: 'large', tool_calls: [call] },
  }));
  const { prompts, options } = await labellingWorld(answer, rows, GRADERS);
  expect(await label(options)).toMatchObject({ newCalls: 1, reused: 1, complete: 1 });
  const written = JSON.parse(readFileSync(options.out, 'utf8'));
  expect(written.outcomes.strong).toEqual({
    quality: 1,
    label_source: 'grader',
    labelled_by: expect.any(String),
    answer: call.input,
  });
  // Two candidates with that name, of two providers: nobody knows whose reply it is.
  writeFileSync(prompts, jsonLines([{ ...rows[0], id: 'other', prompt: 'Question 0: again?' }]));
  const twins = [
    { name: 'cheap', model: 'fake/large' },
    { name: 'strong', model: 'twin/large' },
  ];
  const { fake } = options.config.providers;
  const config = {
    ...options.config,
    providers: { fake: fake!, twin: fake! },
    models: { ...options.config.models, 'twin/large': options.config.models['fake/large']! },
  };
  const both = { ...options, config, candidates: twins, force: true, out: `${options.out}.2.jsonl` };
  expect(await label(both)).toMatchObject({ newCalls: 2, reused: 0 });
});
