import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { seededRandom } from '../../router/statistics/index.ts';
import { type Fault, startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { ended, jsonOf, startCli } from '../cli/run-cli.ts';
import { folderForTest, jsonLines } from './labelling-world.ts';

/** PLIMSOLL_LABEL_ROWS=2000 makes the 4,000 calls of docs/EXPERIMENTS.md. */
const ROWS = Number(process.env['PLIMSOLL_LABEL_ROWS'] ?? 300);
const KILLS = ROWS >= 2_000 ? 20 : 5;
const CONCURRENCY = 8;
const FAULTS: readonly Fault[] = ['503', '429', '500', 'reset', 'broken-json', 'reset-first', '529'];
const PRICES = { small: { input: 1, output: 2 }, large: { input: 10, output: 20 } };

/** The strong model is right, the cheap one on two rows of three. */
function answer(text: string, model: string): string {
  const i = Number(/Question (\d+)/.exec(text)?.[1]);
  return model === 'large' || i % 3 > 0 ? `It is ${i + 1}.` : 'It is 0.';
}

async function world() {
  const random = seededRandom(7);
  const provider = await startFakeProvider({
    answer: ({ text, model }) => answer(text, model),
    faultOf: () => (random() < 0.1 ? FAULTS[Math.floor(random() * FAULTS.length)] : undefined),
    delayMs: 4,
    remember: 1_000_000,
  });
  onTestFinished(() => provider.close());
  const folder = folderForTest();
  const rows = Array.from({ length: ROWS }, (_, i) => ({
    id: `q${i}`,
    prompt: `Question ${i}: what comes after ${i}?`,
    reference: i + 1,
  }));
  writeFileSync(path.join(folder, 'prompts.jsonl'), jsonLines(rows));
  writeFileSync(path.join(folder, 'graders.yaml'), 'graders: [{ use: [{ type: number }] }]\n');
  writeFileSync(
    path.join(folder, 'plimsoll.config.yaml'),
    `log_level: silent
ladder: { cheap: fake/small, strong: fake/large }
providers: { fake: { kind: openai-compatible, base_url: "${provider.url}" } }
models: { fake/small: { price: ${JSON.stringify(PRICES.small)} }, fake/large: { price: ${JSON.stringify(PRICES.large)} } }
upstream: { retry: { initial_wait_ms: 1, max_wait_ms: 2 }, breaker: { window: 500, min_attempts: 500, failure_share: 0.9 } }
`,
  );
  return { provider, folder };
}

function startLabel(folder: string, budget: number) {
  const flags =
    '--from prompts.jsonl --models cheap,strong --graders graders.yaml --out cases.jsonl --json'.split(' ');
  const more = ['--max-tokens', '20', '--concurrency', String(CONCURRENCY), '--budget', `${budget}usd`];
  return startCli(['label', ...flags, ...more], { cwd: folder });
}

/** Without times: those of two runs differ. */
function withoutLatency(folder: string): string {
  return readFileSync(path.join(folder, 'cases.jsonl'), 'utf8').replaceAll(/"latency_ms":[\d.]+,/g, '');
}

/** What a provider bills: replies that it sent whole. */
function bills(provider: Awaited<ReturnType<typeof world>>['provider']) {
  const calls = new Map<string, number>();
  let usd = 0;
  for (const { body, fault, aborted } of provider.requests) {
    if (fault !== undefined || aborted) continue;
    const text = String((body['messages'] as { content: string }[])[0]?.content);
    const model = body['model'] as 'small' | 'large';
    const key = `${model} ${text}`;
    calls.set(key, (calls.get(key) ?? 0) + 1);
    const { input, output } = PRICES[model];
    usd += (Math.ceil(text.length / 4) * input + answer(text, model).split(/(?= )/).length * output) / 1e6;
  }
  return { calls, usd, twice: [...calls.values()].reduce((sum, count) => sum + count - 1, 0) };
}

test(`${ROWS * 2} calls with 10 % faults, killed ${KILLS} times: each reply is paid for once, and the cases are the same`, async () => {
  const quiet = await world();
  const whole = await ended(startLabel(quiet.folder, 5));
  const uninterrupted = jsonOf(whole);
  expect(uninterrupted).toMatchObject({ ended: 'done', complete: ROWS, missing: [] });

  const { provider, folder } = await world();
  const random = seededRandom(3);
  let kills = 0;
  let perKill: number[] = [];
  while (kills < KILLS) {
    const child = startLabel(folder, 5);
    const closed = ended(child);
    const before = provider.requests.length;
    const calls = Math.floor(random() * ((2 * ROWS) / KILLS));
    while (provider.requests.length <= before + calls && child.exitCode === null) await sleep(2);
    child.kill('SIGKILL');
    const { signal } = await closed;
    if (signal !== 'SIGKILL') break;
    kills++;
    perKill = [...perKill, provider.requests.length - before];
  }
  expect(kills).toBeGreaterThan(KILLS / 2);
  const result = jsonOf(await ended(startLabel(folder, 5)));
  expect(result).toMatchObject({ ended: 'done', complete: ROWS, missing: [] });
  expect(withoutLatency(folder)).toBe(withoutLatency(quiet.folder));
  const { calls, usd, twice } = bills(provider);
  expect(calls.size).toBe(2 * ROWS);
  // What was at work at a kill may have been answered while the process died: nothing else is asked twice.
  expect(twice).toBeLessThanOrEqual(kills * CONCURRENCY);
  expect(usd).toBeLessThanOrEqual(result.spent_usd + 1e-9);
  expect(result.spent_usd).toBeLessThanOrEqual(usd + result.lost_usd + 1e-6);
  const journal = readFileSync(path.join(folder, 'cases.jsonl.journal'), 'utf8').trimEnd().split('\n');
  const replies = journal.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'reply');
  expect(new Set(replies.map(({ key }) => key)).size).toBe(replies.length);
  expect(replies).toHaveLength(2 * ROWS);
}, 3_600_000);

test('an interrupt waits for the calls at work: none is paid for twice', async () => {
  const { provider, folder } = await world();
  const child = startLabel(folder, 5);
  const closed = ended(child);
  while (provider.requests.length < 100) await sleep(2);
  child.kill('SIGINT');
  const { code, stdout } = await closed;
  expect(code).toBe(130);
  expect(JSON.parse(stdout)).toMatchObject({ ended: 'ended', lost_usd: 0 });
  expect(jsonOf(await ended(startLabel(folder, 5)))).toMatchObject({ complete: ROWS, lost_usd: 0 });
  expect(bills(provider).twice).toBe(0);
}, 120_000);

test('the budget is kept over kills to the cost of one call', async () => {
  const { provider, folder } = await world();
  const budget = 0.05;
  for (let run = 0; run < 3; run++) {
    const child = startLabel(folder, budget);
    const closed = ended(child);
    const before = provider.requests.length;
    while (provider.requests.length < before + 60 && child.exitCode === null) await sleep(2);
    child.kill('SIGKILL');
    await closed;
  }
  const { code, stdout } = await ended(startLabel(folder, budget));
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ ended: 'budget' });
  expect(JSON.parse(stdout).spent_usd).toBeLessThanOrEqual(budget);
  expect(bills(provider).usd).toBeLessThanOrEqual(budget);
}, 120_000);
