import { Command } from 'commander';
import { featureExtractor } from '../../router/classifier/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { PlimsollError } from '../../router/errors.ts';
import {
  createAuditWatch,
  createDriftWatch,
  describePopulation,
  featureNames,
  featureValues,
} from '../../router/monitoring/index.ts';
import { clopperPearsonInterval, seededRandom } from '../../router/statistics/index.ts';
import { wholeNumberBetween } from '../flags.ts';
import { print } from '../terminal.ts';
import { readSet } from './guarantee/population.ts';
import { type PublicSet, SETS } from './guarantee/settings.ts';

const CONFIDENCE = 0.95;
const AUDITS = 10_000;
/** Limit on the mean loss of a kept request, and share of grades that are reversed. */
const AUDITED = [
  { limit: 0.1, reversed: 0 },
  { limit: 0.03, reversed: 0 },
  { limit: 0.03, reversed: 0.05 },
] as const;
/** Requests that the verdict is of (half of them give the bins), and live ones. */
const REFERENCE = 2_000;
const LIVE = 2_000;
const WITHIN = 500;

interface Flags {
  readonly data: string;
  readonly runs: number;
  readonly seed: number;
}

const command = new Command('bench:watch')
  .description('How often the watch raises an alarm without a reason, and after how many requests with one.')
  .requiredOption('--data <folder>', 'the converted public sets')
  .option('--runs <n>', 'of each row', wholeNumberBetween(10, 1e6), 1_000)
  .option('--seed <n>', 'of all draws', wholeNumberBetween(0, 2 ** 31 - 1), 1)
  .parse();

try {
  const flags = command.opts<Flags>();
  auditTable(flags);
  await driftTable(flags);
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`watch: ${error.message}\n`);
  process.exitCode = 2;
}

function auditTable({ runs, seed }: Flags): void {
  print(
    '| limit, reversed grades | alarms at the limit, % (95 %) | at twice the limit: alarmed after (median, 90th percentile) |\n| --- | ---: | ---: |\n',
  );
  for (const { limit, reversed } of AUDITED) {
    const at = (loss: number, offset: number) =>
      Array.from({ length: runs }, (_, run) => contradictedAfter(limit, loss, reversed, seed + offset + run));
    const falseAlarms = at(limit, 0).filter(Number.isFinite).length;
    const found = Float64Array.from(at(2 * limit, runs)).sort();
    print(
      `| ${limit}, ${reversed} | ${shareText(falseAlarms, runs)} | ${percentile(found, 0.5)}, ${percentile(found, 0.9)} |\n`,
    );
  }
}

/** Audits until the promise is contradicted; infinity if it is not within the run. Each of the two grades is reversed by chance. */
function contradictedAfter(limit: number, loss: number, reversed: number, seed: number): number {
  const random = seededRandom(seed);
  const promised = { artifact: '', margin: limit, keptShare: 1, threshold: 1 };
  const watch = createAuditWatch(promised, { confidence: CONFIDENCE, onContradiction: 'warn', tightenBy: 0 });
  const graded = (isGood: boolean) => Number(random() < reversed ? !isGood : isGood);
  for (let audits = 1; audits <= AUDITS; audits++) {
    const kept = graded(random() >= loss);
    const audit = { schema_version: 1 as const, decision_id: '', artifact: '', predicted_loss: 0 };
    if (watch.observe({ ...audit, loss: graded(true) - kept })) return audits;
  }
  return Number.POSITIVE_INFINITY;
}

/** A percentile of ascending numbers; infinite ones are shown as a dash. */
function percentile(ascending: ArrayLike<number>, p: number): string {
  const found = ascending[Math.floor(p * (ascending.length - 1))]!;
  return Number.isFinite(found) ? `${found}` : '-';
}

function shareText(count: number, n: number): string {
  const { low, high } = clopperPearsonInterval(count, n, 1 - CONFIDENCE);
  const percent = (share: number) => (100 * share).toFixed(1);
  return `${percent(count / n)} (${percent(low)} to ${percent(high)})`;
}

/** Requests as the watch sees them. */
type Requests = readonly Float64Array[];
type ByTask = ReadonlyMap<string, Requests>;

async function driftTable({ data, runs, seed }: Flags): Promise<void> {
  print(
    '\n| certified on | live requests | alarms, % (95 %) | within 500, % (95 %) | alarmed after (median, 95th percentile) |\n| --- | --- | ---: | ---: | ---: |\n',
  );
  const sets = new Map<string, ByTask>();
  for (const set of SETS) sets.set(set.name, await requestsByTask(set, data));
  const names = [...sets.keys()];
  for (const [i, name] of names.entries()) {
    const other = names[(i + 1) % names.length]!;
    const tasks = sets.get(name)!;
    const own = [...tasks.values()].flat();
    const strange = [...sets.get(other)!.values()].flat();
    process.stderr.write(`watch: ${name}\n`);
    const live: readonly (readonly [what: string, draw: Draw])[] = [
      ['the same', drawFrom([own], [1])],
      ...mixesOf(tasks),
      [`a quarter from ${other}`, drawFrom([own, strange], [3, 1])],
      [`all from ${other}`, drawFrom([strange], [1])],
    ];
    for (const [what, draw] of live) {
      const alarms = Float64Array.from({ length: runs }, (_, run) =>
        driftedAfter(own, draw, seed + run),
      ).sort();
      const within = alarms.filter((at) => at <= WITHIN).length;
      const found = alarms.filter(Number.isFinite).length;
      print(
        `| ${name} | ${what} | ${shareText(found, runs)} | ${shareText(within, runs)} | ${percentile(alarms, 0.5)}, ${percentile(alarms, 0.95)} |\n`,
      );
    }
  }
}

/** As the starter sees them. Cases without a task are one of their own. */
async function requestsByTask(set: PublicSet, data: string): Promise<ByTask> {
  const router = await createRouter(configSchema.parse({ log_level: 'silent' }));
  const extractor = featureExtractor();
  const tasks = new Map<string, Float64Array[]>();
  for (const { text, task = '' } of (await readSet(set, data)).cases) {
    const { predictedLoss } = await router.route({ prompt: text });
    const values = featureValues({ predictedLoss, nothingSimilar: undefined }, extractor.extract(text));
    const known = tasks.get(task);
    if (known === undefined) tasks.set(task, [values]);
    else known.push(values);
  }
  await router.close();
  return tasks;
}

type Draw = (random: () => number) => Float64Array;

/** @param weights of the pools, in any unit */
function drawFrom(pools: readonly Requests[], weights: readonly number[]): Draw {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return (random) => {
    let rest = random() * all;
    let i = 0;
    while (i < pools.length - 1 && rest >= weights[i]!) rest -= weights[i++]!;
    return oneOf(pools[i]!, random);
  };
}

function oneOf(requests: Requests, random: () => number): Float64Array {
  return requests[Math.floor(random() * requests.length)]!;
}

/** Other mixes of the same tasks, and which share of the requests is then of another task: half of what the shares differ by. */
function mixesOf(tasks: ByTask): (readonly [what: string, draw: Draw])[] {
  const pools = [...tasks.values()];
  const sizes = pools.map(({ length }) => length);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const mix = (what: string, weights: readonly number[]) => {
    const weight = weights.reduce((sum, one) => sum + one, 0);
    const moved = sizes.reduce((sum, size, i) => sum + Math.abs(size / all - weights[i]! / weight) / 2, 0);
    return [`${what} (${(100 * moved).toFixed(0)} % moved)`, drawFrom(pools, weights)] as const;
  };
  const equal = sizes.map(() => 1);
  return [mix(`${tasks.size} tasks in equal shares`, equal), mix('their shares in reverse', reversed(sizes))];
}

/** The most frequent task gets the share of the rarest, the second that of the second rarest, and so on. */
function reversed(sizes: readonly number[]): number[] {
  const ascending = [...sizes.keys()].sort((a, b) => sizes[a]! - sizes[b]!);
  const shares: number[] = [];
  for (const [rank, i] of ascending.entries()) shares[i] = sizes[ascending.at(-1 - rank)!]!;
  return shares;
}

/** Live requests until the alarm; infinity if there is none within the run. */
function driftedAfter(own: Requests, draw: Draw, seed: number): number {
  const random = seededRandom(seed);
  const names = featureNames(featureExtractor().names);
  const reference = Array.from({ length: REFERENCE }, () => oneOf(own, random));
  const watch = createDriftWatch(describePopulation(names, reference), names, CONFIDENCE, random);
  for (let n = 1; n <= LIVE; n++) {
    watch.observe(draw(random));
    if (watch.isAlarmed()) return n;
  }
  return Number.POSITIVE_INFINITY;
}
