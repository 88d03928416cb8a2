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
import { SETS } from './guarantee/settings.ts';

const CONFIDENCE = 0.95;
const AUDITS = 10_000;
/** Limit on the mean loss of a kept request, and share of grades that are reversed. */
const AUDITED = [
  { limit: 0.1, reversed: 0 },
  { limit: 0.03, reversed: 0 },
  { limit: 0.03, reversed: 0.05 },
] as const;
/** Requests that the verdict is of, and live ones. */
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

/** Of ascending numbers that may be infinite, which is shown as a dash. */
function percentile(ascending: ArrayLike<number>, p: number): string {
  const found = ascending[Math.floor(p * (ascending.length - 1))]!;
  return Number.isFinite(found) ? `${found}` : '-';
}

function shareText(count: number, n: number): string {
  const { low, high } = clopperPearsonInterval(count, n, 1 - CONFIDENCE);
  const percent = (share: number) => (100 * share).toFixed(1);
  return `${percent(count / n)} (${percent(low)} to ${percent(high)})`;
}

/** One request as the watch sees it. */
type Values = Float64Array;

async function driftTable({ data, runs, seed }: Flags): Promise<void> {
  print(
    '\n| certified on | live requests | alarms, % (95 %) | within 500, % | alarmed after (median) |\n| --- | --- | ---: | ---: | ---: |\n',
  );
  const sets = new Map<string, Values[]>();
  for (const set of SETS)
    sets.set(set.name, await valuesOf((await readSet(set, data)).cases.map(({ text }) => text)));
  const names = [...sets.keys()];
  for (const [i, name] of names.entries()) {
    const other = names[(i + 1) % names.length]!;
    const own = sets.get(name)!;
    process.stderr.write(`watch: ${name}\n`);
    for (const [live, share] of [
      [name, 0],
      [`a quarter ${other}`, 0.25],
      [other, 1],
    ] as const) {
      const alarms = Float64Array.from({ length: share === 0 ? runs : Math.ceil(runs / 5) }, (_, run) =>
        driftedAfter(own, sets.get(other)!, share, seed + run),
      ).sort();
      const within = alarms.filter((at) => at <= WITHIN).length;
      const found = alarms.filter(Number.isFinite);
      print(
        `| ${name} | ${live} | ${shareText(found.length, alarms.length)} | ${((100 * within) / alarms.length).toFixed(1)} | ${percentile(alarms, 0.5)} |\n`,
      );
    }
  }
}

/** As the starter sees them. */
async function valuesOf(texts: readonly string[]): Promise<Values[]> {
  const router = await createRouter(configSchema.parse({ log_level: 'silent' }));
  const extractor = featureExtractor();
  const values: Values[] = [];
  for (const text of texts) {
    const { predictedLoss } = await router.route({ prompt: text });
    values.push(featureValues({ predictedLoss, nothingSimilar: undefined }, extractor.extract(text)));
  }
  await router.close();
  return values;
}

/** Live requests until the alarm; infinity if there is none within the run. @param share of them that come from the other set */
function driftedAfter(own: readonly Values[], other: readonly Values[], share: number, seed: number): number {
  const random = seededRandom(seed);
  const drawn = (from: readonly Values[]) => from[Math.floor(random() * from.length)]!;
  const names = featureNames(featureExtractor().names);
  const population = describePopulation(
    names,
    Array.from({ length: REFERENCE }, () => drawn(own)),
  );
  const watch = createDriftWatch(population, names, CONFIDENCE, random);
  for (let n = 1; n <= LIVE; n++) {
    watch.observe(drawn(random() < share ? other : own));
    if (watch.isAlarmed()) return n;
  }
  return Number.POSITIVE_INFINITY;
}
