import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { type Forecast, findAudits, label } from '../../evals/labelling/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { holdLock } from '../../router/files/index.ts';
import { capturedRow } from '../../router/records/index.ts';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { CANDIDATES, gradersOf, jsonLines, labellingWorld } from './labelling-world.ts';

const ROWS = Array.from({ length: 20 }, (_, i) => ({
  id: `q${i}`,
  task: i % 2 ? 'sums' : 'letters',
  prompt: i % 2 ? `Question ${i}: what is ${i} plus ${i}?` : `Question ${i}: A or B?`,
  reference: i % 2 ? 2 * i : 'A',
}));
const GRADERS = [{ when: 'sums', use: [{ type: 'number' as const }] }, { use: [{ type: 'exact' as const }] }];

/** The strong model is always right, the cheap one on every fourth row. */
function answer(text: string, model: string): string {
  const i = Number(/Question (\d+)/.exec(text)?.[1]);
  const right = model === 'large' || i % 4 < 2;
  if (i % 2) return `The answer is ${right ? 2 * i : 7000}.`;
  return right ? 'A' : 'B';
}

const world = () => labellingWorld(answer, ROWS, GRADERS);

test('every candidate is asked, and train reads the cases with tokens, cost, latency and signals', async () => {
  const { provider, options } = await world();
  const labelled = await label(options);
  expect(labelled).toMatchObject({ ended: 'done', rows: 20, complete: 20, newCalls: 40, missing: [] });
  expect(provider.requests).toHaveLength(40);
  const { cases, rejectedCount } = await loadCases([options.out], { keepReplies: true });
  expect(rejectedCount).toBe(0);
  const loss = cases.map(({ id, outcomes }) => [
    id,
    (outcomes.get('strong')?.quality ?? Number.NaN) - (outcomes.get('cheap')?.quality ?? Number.NaN),
  ]);
  expect(Object.fromEntries(loss)).toEqual(
    Object.fromEntries(ROWS.map(({ id }, i) => [id, i % 4 < 2 ? 0 : 1])),
  );
  const strong = cases.find(({ id }) => id === 'q1')?.outcomes.get('strong');
  expect(strong).toMatchObject({ quality: 1, inputTokens: expect.any(Number), outputTokens: 4 });
  expect(strong?.costUsd).toBeCloseTo(((strong?.inputTokens ?? 0) * 10 + 4 * 20) / 1e6, 9);
  expect(strong?.latencyMs).toBeGreaterThan(0);
  expect(strong?.reply).toMatchObject({
    text: 'The answer is 2.',
    finishReason: 'stop',
    minLogprob: expect.any(Number),
  });
  expect(readFileSync(options.out, 'utf8')).toContain('"label_source":"grader"');
});

test('a second run asks nobody and writes the same cases', async () => {
  const { provider, options } = await world();
  const first = await label(options);
  const second = await label(options);
  expect(second).toMatchObject({ newCalls: 0, sha256: first.sha256, spentUsd: first.spentUsd });
  expect(provider.requests).toHaveLength(40);
});

test('for audits, only what was routed below the last candidate is asked; without a decision in any row it says so', async () => {
  const rows = ROWS.map((row, i) => ({
    ...row,
    ...(i % 3 > 0 && { decision: { model: i % 3 === 1 ? 'fake/small' : 'fake/large', score: 0.1 } }),
  }));
  const { provider, options } = await labellingWorld(answer, rows, GRADERS);
  const labelled = await label({ ...options, keptOnly: true });
  expect(labelled).toMatchObject({ ended: 'done', rows: 7, newCalls: 14 });
  const { cases } = await loadCases([options.out]);
  expect(cases.map(({ id }) => id).sort()).toEqual(['q1', 'q10', 'q13', 'q16', 'q19', 'q4', 'q7']);
  const other = await world();
  await expect(label({ ...other.options, keptOnly: true })).rejects.toThrow(
    /None of 20 requests was routed to fake\/small/,
  );
  expect(provider.requests).toHaveLength(14);
});

test('other graders label the replies anew, and nobody is asked', async () => {
  const { provider, options } = await world();
  await label(options);
  const graders = gradersOf([{ use: [{ type: 'contains', texts: ['B', '7000'], mode: 'any' }] }]);
  const labelled = await label({ ...options, graders });
  expect(labelled).toMatchObject({ newCalls: 0, complete: 20 });
  expect(labelled.candidates[1]?.meanQuality).toBe(0);
  expect(provider.requests).toHaveLength(40);
});

test('ends before a call that could exceed the budget, and goes on with a larger one', async () => {
  const { provider, options } = await world();
  const part = await label({ ...options, budgetUsd: 0.004, concurrency: 3 });
  expect(part.ended).toBe('budget');
  expect(part.spentUsd).toBeLessThanOrEqual(0.004);
  expect(part.spentUsd).toBeGreaterThan(0.004 - 0.003); // the worst case of one call of the strong model
  expect(part.newCalls).toBe(provider.requests.length);
  const rest = await label(options);
  expect(rest).toMatchObject({ ended: 'done', complete: 20, newCalls: 40 - part.newCalls });
  expect(provider.requests).toHaveLength(40);
});

test('retries what fails for a moment; what fails for good stays without a label and is listed', async () => {
  const { provider, options } = await world();
  provider.faults.push('503', '429', 'reset', 'broken-json');
  expect(await label(options)).toMatchObject({ complete: 20, missing: [] });
  const other = await world();
  other.provider.faults.push('400-filter', '400-filter'); // the second try is without log-probabilities
  const labelled = await label({ ...other.options, concurrency: 1 });
  expect(labelled.missing).toEqual([
    {
      case: expect.stringMatching(/^q\d+$/),
      candidate: expect.any(String),
      why: expect.stringContaining('400'),
    },
  ]);
  expect(labelled.complete).toBe(19);
  const { cases } = await loadCases([other.options.out], { models: ['cheap', 'strong'] });
  expect(cases).toHaveLength(19);
});

test('a provider that is down ends the run, which goes on later', async () => {
  const { provider, options } = await world();
  provider.failAlways('503');
  await expect(label(options)).rejects.toMatchObject({ code: 'insufficient-data', message: /status 503/ });
  provider.failAlways(undefined);
  expect(await label(options)).toMatchObject({ complete: 20, newCalls: 40 });
});

test('candidates in another order than their prices are reported', async () => {
  const { options } = await world();
  const notes: string[] = [];
  const onNotes = (lines: readonly string[]) => void notes.push(...lines);
  const reversed = { ...options, candidates: [...options.candidates].reverse(), dryRun: true };
  await label({ ...reversed, reading: { onNotes } });
  expect(notes.join()).toMatch(/another order than the prices: strong .* is dearer than cheap/);
});

test('a wrong key ends the run at once, and is named', async () => {
  const { provider, options } = await world();
  provider.failAlways('401');
  const patient = { ...options, waitsMs: [600_000] };
  await expect(label(patient)).rejects.toMatchObject({
    code: 'insufficient-data',
    message: /fake\/(small|large) auth\./,
  });
});

test('many calls that wait for their next try at once are no leak that Node warns of', async () => {
  const { provider, options } = await world();
  const warned: string[] = [];
  const listen = ({ name }: Error) => void warned.push(name);
  process.on('warning', listen);
  onTestFinished(() => void process.off('warning', listen));
  provider.failAlways('503');
  await expect(label({ ...options, concurrency: 20, waitsMs: [50] })).rejects.toMatchObject({
    code: 'insufficient-data',
  });
  expect(warned).not.toContain('MaxListenersExceededWarning');
});

test('a candidate whose every call fails ends the run, though the others reply', async () => {
  const { provider, options } = await world();
  const down = await startFakeProvider();
  onTestFinished(() => down.close());
  down.failAlways('503');
  const { providers, models } = options.config;
  const config = {
    ...options.config,
    providers: { ...providers, down: { ...providers['fake']!, baseUrl: down.url } },
    models: { ...models, 'down/small': models['fake/small']! },
  };
  const candidates = [{ name: 'cheap', model: 'down/small' }, CANDIDATES[1]!];
  await expect(label({ ...options, config, candidates, concurrency: 1 })).rejects.toMatchObject({
    code: 'insufficient-data',
    message: /calls of down\/small failed: status 503/,
  });
  expect(provider.requests.length).toBeLessThan(ROWS.length);
});

test('says beforehand what it takes, by the replies once there are some', async () => {
  const rows = Array.from({ length: 100 }, (_, i) => ({
    ...ROWS[i % 20],
    id: `r${i}`,
    prompt: `Question ${i}: A or B?`,
    task: 'x',
    reference: 'A',
  }));
  const { options, provider } = await labellingWorld(answer, rows, GRADERS);
  const forecasts: Forecast[] = [];
  const onForecast = (forecast: Forecast) => void forecasts.push(forecast);
  const dry = await label({ ...options, dryRun: true, onForecast });
  expect(dry).toMatchObject({ ended: 'forecast', newCalls: 0 });
  expect(provider.requests).toHaveLength(0);
  expect(existsSync(options.out)).toBe(false);
  expect(forecasts[0]).toMatchObject({ rows: 100, calls: 200, from: 'prompts', certifies: { cases: 40 } });
  const { spentUsd } = await label({ ...options, onForecast });
  const later = forecasts[2];
  expect(later?.from).toBe('replies');
  const seen = forecasts[1]?.usd;
  expect(spentUsd).toBeGreaterThan(seen?.low ?? Number.NaN);
  expect(spentUsd).toBeLessThan(seen?.high ?? Number.NaN);
});

test('two runs at once, a journal that is damaged, and cases of somebody else are refused', async () => {
  const { options } = await world();
  const release = holdLock(`${options.out}.journal`);
  await expect(label(options)).rejects.toMatchObject({ code: 'io', message: /Another command/ });
  release();
  await label(options);
  appendFileSync(`${options.out}.journal`, '{"kind":"reply","key":"cut in the mid'); // as a kill leaves it
  expect(await label(options)).toMatchObject({ newCalls: 0 });
  appendFileSync(`${options.out}.journal`, 'not a line\n');
  await expect(label(options)).rejects.toMatchObject({
    code: 'invalid-input',
    place: { line: expect.any(Number) },
  });
  const other = await world();
  writeFileSync(other.options.out, jsonLines(ROWS));
  await expect(label(other.options)).rejects.toMatchObject({ message: /no journal/ });
});

test('calls that were at work when a process was killed count as spent, and are made again', async () => {
  const { options } = await world();
  const first = await label(options);
  const journal = `${options.out}.journal`;
  const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
  const last = lines.findLastIndex((line) => line.includes('"kind":"reply"'));
  const lost = JSON.parse(lines[last] ?? '');
  writeFileSync(journal, `${lines.filter((_, at) => at !== last).join('\n')}\n`);
  const again = await label(options);
  expect(again.newCalls).toBe(1);
  expect(again.lostUsd).toBeGreaterThan(lost.cost_usd);
  expect(again.spentUsd).toBeCloseTo(first.spentUsd + again.lostUsd, 9);
});

test('what cannot be labelled is refused before the first call', async () => {
  const { provider, options } = await world();
  const refusal = (changes: object) => label({ ...options, ...changes });
  await expect(
    refusal({ graders: gradersOf([{ when: 'sums', use: [{ type: 'number' }] }]) }),
  ).rejects.toMatchObject({
    message: /10 rows have no grader, the first is "q\d+"/,
  });
  const unpriced = [CANDIDATES[0], { name: 'strong', model: 'fake/unpriced' }];
  await expect(refusal({ candidates: unpriced })).rejects.toMatchObject({
    code: 'invalid-config',
    message: /price of fake\/unpriced/,
  });
  await expect(
    refusal({ candidates: [CANDIDATES[0], { name: 'strong', model: 'fake/larg' }] }),
  ).rejects.toMatchObject({
    message: /fake\/larg/,
  });
  await expect(refusal({ config: configSchema.parse({ log_level: 'silent' }) })).rejects.toMatchObject({
    message: /names no providers/,
  });
  await expect(refusal({ out: 'cases.csv' })).rejects.toMatchObject({ code: 'invalid-input' });
  const without = await labellingWorld(
    answer,
    ROWS.map(({ reference: _, ...row }) => row),
    GRADERS,
  );
  await expect(label(without.options)).rejects.toMatchObject({ place: { field: 'reference' } });
  expect(provider.requests).toHaveLength(0);
});

test('captured requests keep what routing decided, so that audits can be made of them', async () => {
  const rows = ROWS.map(({ id, prompt, reference }) => ({
    ...capturedRow({
      id,
      timeMs: 0,
      samplingProbability: 0.5,
      stratum: { task: 'sums', length: 'short', language: 'en', score: '0.05' },
      request: {
        system: 'Be brief, in JSON.',
        messages: [{ role: 'user', content: prompt }],
        response_format: { type: 'json_object' },
      },
      decision: {
        model: 'fake/small',
        score: 0.05,
        threshold: 0.1,
        reason: 'within-threshold',
        artifact: 'a',
      },
      reply: { model: 'fake/small', latencyMs: 12 },
    }),
    reference,
  }));
  const { options, provider } = await labellingWorld(answer, rows, [{ use: [{ type: 'contains' }] }]);
  expect(await label(options)).toMatchObject({ complete: 20 });
  expect(provider.requests[0]?.body['messages']).toEqual([
    { role: 'system', content: 'Be brief, in JSON.' },
    { role: 'user', content: expect.stringContaining('Question') },
  ]);
  for (const { body } of provider.requests) expect(body['response_format']).toEqual({ type: 'json_object' });
  const { audits, left } = await findAudits([options.out], CANDIDATES);
  expect({ audits: audits.length, ...left }).toMatchObject({ audits: 20, rejected: 0, undecided: 0 });
  expect(audits.reduce((sum, { loss }) => sum + loss, 0)).toBe(10);
});
