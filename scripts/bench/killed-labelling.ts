import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../router/statistics/index.ts';
import { type FakeProvider, type Fault, startFakeProvider } from '../fake-provider/index.ts';

/** A labelling run that is to be killed. */
export interface KilledLabelling {
  /** Requests; two models are asked each of them. */
  readonly rows: number;
  /** Share of calls, 0..1. */
  readonly faultShare: number;
  readonly kills: number;
  /** Calls at work at once. */
  readonly concurrency: number;
  /** An empty folder. */
  readonly folder: string;
  readonly seed: number;
  /** `plimsoll worker` processes that share the calls with the run, through Redis; each kill takes one of them all. Default: none. */
  readonly shared?: { readonly workers: number; readonly redisUrl: string } | undefined;
}

/** Its outcome. */
export interface KilledOutcome {
  readonly kills: number;
  /** Cases with a label of both models. */
  readonly complete: number;
  /** (case, model) pairs that the provider sent a whole reply for. */
  readonly pairs: number;
  /** Whole replies beyond the first of a pair: their calls were at work at a kill. */
  readonly twice: number;
  /** Replies in the journal, and how many of them are of different questions. */
  readonly journal: { readonly replies: number; readonly keys: number };
  /** US dollars: what the provider billed, what the run counts as spent, and the part of it that it counts as lost. */
  readonly billedUsd: number;
  readonly spentUsd: number;
  readonly lostUsd: number;
  /** The first half, which ends at a budget: billed and spent by then. */
  readonly atBudget: { readonly budgetUsd: number; readonly billedUsd: number; readonly spentUsd: number };
  /** The most that one call could cost, US dollars. */
  readonly callUsd: number;
  /** Whether the cases are those of a run that nobody killed, but for latencies. */
  readonly same: boolean;
  readonly seconds: number;
}

const CLI = fileURLToPath(new URL('../../dist/scripts/cli.js', import.meta.url));
const FAULTS: readonly Fault[] = ['503', '429', '500', 'reset', 'broken-json', 'reset-first', '529'];
/** US dollars for a million tokens. */
const PRICES = { small: { input: 1, output: 2 }, large: { input: 10, output: 20 } };
const MAX_TOKENS = 20;
/** More than all of it costs. */
const ENOUGH_USD = 1_000;
const LOOK_EVERY_MS = 2;

/**
 * Labels with faults and kills (SIGKILL at random moments): the first half within a budget that ends before all is labelled, the second half
 * without; then compares with a run that nobody killed.
 */
export async function killedLabelling(plan: KilledLabelling): Promise<KilledOutcome> {
  const started = performance.now();
  const [quiet, killed] = [
    await openWorld({ ...plan, shared: undefined }, 'quiet'),
    await openWorld(plan, 'killed'),
  ];
  const workers: ChildProcess[] = [];
  try {
    const whole = await finished(startLabel(quiet, { ...plan, shared: undefined }, ENOUGH_USD));
    const budgetUsd = (whole.spent_usd as number) / 2;
    const random = seededRandom(plan.seed);
    const half = Math.floor(plan.kills / 2);
    workers.push(...Array.from({ length: plan.shared?.workers ?? 0 }, () => startWorker(killed)));
    const first = await killAtRandom(killed, plan, workers, { budgetUsd, kills: half, random });
    if (first.result.ended !== 'budget') throw new Error(`The first half ended with ${first.result.ended}.`);
    const atBudget = {
      budgetUsd,
      billedUsd: bills(killed.provider).usd,
      spentUsd: first.result.spent_usd as number,
    };
    const rest = { budgetUsd: ENOUGH_USD, kills: plan.kills - half, random };
    const second = await killAtRandom(killed, plan, workers, rest);
    const { result } = second;
    const { pairs, replies, usd } = bills(killed.provider);
    return {
      kills: first.kills + second.kills,
      complete: result.complete,
      pairs,
      twice: replies - pairs,
      journal: journalIn(killed.folder),
      billedUsd: usd,
      spentUsd: result.spent_usd,
      lostUsd: result.lost_usd,
      atBudget,
      callUsd: (PROMPT_BYTES * PRICES.large.input + MAX_TOKENS * PRICES.large.output) / 1e6,
      same: casesIn(killed.folder) === casesIn(quiet.folder),
      seconds: (performance.now() - started) / 1_000,
    };
  } finally {
    for (const worker of workers) worker.kill('SIGKILL');
    await Promise.all([quiet.provider.close(), killed.provider.close()]);
  }
}

interface World {
  readonly provider: FakeProvider;
  readonly folder: string;
}

/** A longer body than any request of these has. */
const PROMPT_BYTES = 200;

function questionOf(i: number): string {
  return `Question ${i}: what comes after ${i}?`;
}

/** The large model is right, the small one on two rows of three. */
function replyTo(prompt: string, model: string): string {
  const i = Number(/Question (\d+)/.exec(prompt)?.[1]);
  return model === 'large' || i % 3 > 0 ? `It is ${i + 1}.` : 'It is 0.';
}

/** A provider with faults, and a folder `name` with what `plimsoll label` needs to ask it. */
export async function openWorld(
  { rows, faultShare, folder, seed, shared }: KilledLabelling,
  name: string,
): Promise<World> {
  const random = seededRandom(seed);
  const provider = await startFakeProvider({
    answer: ({ text: prompt, model }) => replyTo(prompt, model),
    faultOf: () => (random() < faultShare ? FAULTS[Math.floor(random() * FAULTS.length)] : undefined),
    delayMs: 4,
    remember: Number.POSITIVE_INFINITY,
  });
  const own = path.join(folder, name);
  const requests = Array.from({ length: rows }, (_, i) => ({
    id: `q${i}`,
    prompt: questionOf(i),
    reference: i + 1,
  }));
  mkdirSync(own, { recursive: true });
  writeFileSync(path.join(own, 'prompts.jsonl'), requests.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(path.join(own, 'graders.yaml'), 'graders: [{ use: [{ type: number }] }]\n');
  writeFileSync(path.join(own, 'plimsoll.config.yaml'), configText(provider.url, shared?.redisUrl));
  return { provider, folder: own };
}

function configText(url: string, redisUrl: string | undefined): string {
  return `log_level: silent
ladder: { cheap: fake/small, strong: fake/large }
providers: { fake: { kind: openai-compatible, base_url: "${url}" } }
models: { fake/small: { price: ${JSON.stringify(PRICES.small)} }, fake/large: { price: ${JSON.stringify(PRICES.large)} } }
upstream: { retry: { initial_wait_ms: 1, max_wait_ms: 2 }, breaker: { window: 500, min_attempts: 500, failure_share: 0.9 } }
${redisUrl === undefined ? '' : `redis: { url: "${redisUrl}" }\n`}`;
}

export function startLabel(
  { folder }: World,
  { concurrency }: KilledLabelling,
  budgetUsd: number,
): ChildProcess {
  const flags =
    '--from prompts.jsonl --models cheap,strong --graders graders.yaml --out cases.jsonl --json'.split(' ');
  const more = [
    '--max-tokens',
    `${MAX_TOKENS}`,
    '--concurrency',
    `${concurrency}`,
    '--budget',
    `${budgetUsd}usd`,
  ];
  return startCommand(['label', ...flags, ...more], folder);
}

function startWorker({ folder }: World): ChildProcess {
  const worker = startCommand(['worker', '--concurrency', `${WORKER_CALLS}`], folder);
  for (const stream of [worker.stdout!, worker.stderr!]) stream.resume();
  return worker;
}

const WORKER_CALLS = 8;

function startCommand(args: readonly string[], cwd: string): ChildProcess {
  return spawn(process.execPath, [CLI, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What it printed, as JSON. @throws Error with its stderr if it ends by a signal or an error */
async function finished(child: ChildProcess) {
  const [stdout, stderr] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'close'),
  ]);
  if (child.exitCode !== 0 && child.exitCode !== EXIT_BUDGET) throw new Error(stderr);
  return JSON.parse(stdout);
}

const EXIT_BUDGET = 3;

/** Kills the run, or one of its workers, as often as asked for if it does not end before; then lets it end. */
async function killAtRandom(
  world: World,
  plan: KilledLabelling,
  workers: ChildProcess[],
  { budgetUsd, kills, random }: { budgetUsd: number; kills: number; random: () => number },
) {
  const start = () => {
    const child = startLabel(world, plan, budgetUsd);
    const end = finished(child);
    end.catch(() => {}); // killed
    return { child, end };
  };
  let run = start();
  let killed = 0;
  for (; killed < kills && run.child.exitCode === null; killed++) {
    const before = world.provider.requests.length;
    const calls = Math.floor((random() * 2 * plan.rows) / plan.kills);
    while (world.provider.requests.length <= before + calls && run.child.exitCode === null) {
      await sleep(LOOK_EVERY_MS);
    }
    if (run.child.exitCode !== null) break;
    const victim = Math.floor(random() * (workers.length + 1));
    await killNow(workers[victim] ?? run.child);
    if (victim < workers.length) workers[victim] = startWorker(world);
    else run = start();
  }
  return { kills: killed, result: await run.end };
}

async function killNow(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

/** What a provider bills: replies that it sent whole. */
export function bills({ requests }: FakeProvider) {
  const calls = new Map<string, number>();
  let usd = 0;
  let replies = 0;
  for (const { body, fault, aborted } of requests) {
    if (fault !== undefined || aborted) continue;
    const prompt = String((body['messages'] as { content: string }[])[0]?.content);
    const model = body['model'] as keyof typeof PRICES;
    const key = `${model} ${prompt}`;
    calls.set(key, (calls.get(key) ?? 0) + 1);
    replies++;
    const { input, output } = PRICES[model];
    usd +=
      (Math.ceil(prompt.length / 4) * input + replyTo(prompt, model).split(/(?= )/).length * output) / 1e6;
  }
  return { pairs: calls.size, replies, usd };
}

function journalIn(folder: string): KilledOutcome['journal'] {
  const lines = readFileSync(path.join(folder, 'cases.jsonl.journal'), 'utf8').trimEnd().split('\n');
  const replies = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'reply');
  return { replies: replies.length, keys: new Set(replies.map(({ key }) => key)).size };
}

/** Without latencies: those of two runs differ. */
function casesIn(folder: string): string {
  return readFileSync(path.join(folder, 'cases.jsonl'), 'utf8').replaceAll(/"latency_ms":[\d.]+,/g, '');
}
