import { Command } from 'commander';
import { deltaOfLook, type Sealed, suiteSchema, walkSealed } from '../../evals/gate/index.ts';
import { type CalibrationCases, predictedLosses, walkSteps } from '../../evals/threshold/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import {
  clopperPearsonLower,
  clopperPearsonUpper,
  mean,
  seededRandom,
} from '../../router/statistics/index.ts';
import { wholeNumberBetween } from '../flags.ts';
import { print } from '../terminal.ts';
import { drawnOrder, sealedCases } from './guarantee/gate.ts';
import {
  casesInRows,
  drawRows,
  type Population,
  populationTruth,
  readSet,
  scoreSet,
} from './guarantee/population.ts';
import { SETS } from './guarantee/settings.ts';

/** What a first look may spend. */
const DELTA = deltaOfLook(1, 0.95);
/** The part of it that the bounds of the share spend, as in the gate. */
const SPENT = 0.05 * DELTA;
/** The limit that plan-labels sets: where all below is expected to lose this many margins. */
const MARGINS_AT_LIMIT = 1.5;

/** Numbers of labels that are tried, as parts of those that are drawn from all requests. */
const PARTS = [0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const BOOTSTRAPS = 1_000;

const command = new Command('bench:labels')
  .description(
    'What labels are worth that were drawn only where a score may stay cheap, beside labels drawn from all requests.',
  )
  .requiredOption('--data <folder>', 'the converted public sets')
  .option('--resamples <n>', 'samples drawn for each row', wholeNumberBetween(1, 1e5), 200)
  .option('--seed <n>', 'of all draws', wholeNumberBetween(0, 2 ** 31 - 1), 7)
  .option('--set <name>', 'one of the sets alone')
  .option(
    '--saved',
    'in place of that: how many labels chosen ones save, for the escalation that labels of all requests certify',
    false,
  )
  .option('--labels <n>', 'with --saved: labels drawn from all requests', wholeNumberBetween(10, 1e5), 1_000)
  .parse();

interface Options {
  readonly data: string;
  readonly resamples: number;
  readonly seed: number;
  readonly set?: string;
  readonly saved: boolean;
  readonly labels: number;
}

try {
  const options = command.opts<Options>();
  print(
    options.saved
      ? '| set | margin | escalated by labels of all requests | labels drawn | how the others are chosen | labels for the same (95 % interval) | saved |\n| --- | --- | ---: | ---: | --- | ---: | ---: |\n'
      : '| set | margin, labels | drawn from all | drawn below the limit (share) | violations |\n| --- | --- | ---: | ---: | ---: |\n',
  );
  const sets = SETS.filter(({ name }) => options.set === undefined || name === options.set);
  if (sets.length === 0)
    throw new PlimsollError('invalid-input', `--set is one of ${SETS.map(({ name }) => name).join(', ')}.`);
  for (const set of sets) {
    const population = await scoreSet(await readSet(set, options.data));
    for (const row of options.saved ? savedRows(population, options) : comparedRows(population, options))
      print(`| ${set.name} ${row}`);
  }
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`labels: ${error.message}\n`);
  process.exitCode = 2;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** The same number of labels, drawn from all requests and from those below the limit. */
function* comparedRows(population: Population, { resamples, seed }: Options): Generator<string> {
  for (const [margin, n] of [
    [0.03, 1000],
    [0.03, 500],
    [0.02, 1000],
  ] as const) {
    const all = certify(population, margin, n, { resamples, seed });
    const limit = limitOf(population, MARGINS_AT_LIMIT * margin);
    const below = certify(population, margin, n, { resamples, seed, limit, choice: 'below' });
    yield `| ${margin}, ${n} | ${percent(mean(all.escalations))} | ${percent(mean(below.escalations))} (${percent(below.share)}) | ${all.violations} and ${below.violations} of ${resamples} |\n`;
  }
}

/** How many chosen labels certify the escalation that labels of all requests do. */
function* savedRows(population: Population, { resamples, seed, labels }: Options): Generator<string> {
  const random = seededRandom(seed);
  for (const margin of [0.03, 0.05]) {
    const limit = limitOf(population, MARGINS_AT_LIMIT * margin);
    const all = certify(population, margin, labels, { resamples, seed });
    for (const [choice, words] of [
      ['below', 'where a score may stay cheap (`plan-labels`)'],
      ['select', 'the same, of requests that are all drawn alike (`label --select`)'],
    ] as const) {
      const tried: { readonly n: number; readonly escalations: Float64Array }[] = [];
      for (const part of PARTS) {
        const n = Math.round(part * labels);
        const { escalations } = certify(population, margin, n, { resamples, seed: seed + n, limit, choice });
        tried.push({ n, escalations });
        if (mean(escalations) < mean(all.escalations) - 0.02) break; // clearly enough
      }
      const found = labelsFor(mean(all.escalations), tried, mean);
      const drawn = Array.from({ length: BOOTSTRAPS }, () => {
        const resampled = (values: Float64Array) =>
          mean(values.map(() => values[Math.floor(random() * values.length)]!));
        return labelsFor(resampled(all.escalations), tried, resampled);
      }).sort((a, b) => a - b);
      const [low, high] = [0.025, 0.975].map((share) => Math.round(drawn[Math.floor(share * BOOTSTRAPS)]!));
      yield `| ${margin} | ${percent(mean(all.escalations))} | ${labels} | ${words} | ${Math.round(found)} (${low} to ${high}) | ${percent(1 - found / labels)} |\n`;
    }
  }
}

/** The number at which the mean escalation falls to one, between the numbers that were tried; infinite if none is enough. */
function labelsFor(
  escalated: number,
  tried: readonly { readonly n: number; readonly escalations: Float64Array }[],
  meanOf: (values: Float64Array) => number,
): number {
  let before: { readonly n: number; readonly mean: number } | undefined;
  for (const { n, escalations } of tried) {
    const now = meanOf(escalations);
    if (now <= escalated) {
      if (before === undefined) return n;
      return before.n + ((before.mean - escalated) / (before.mean - now)) * (n - before.n);
    }
    before = { n, mean: now };
  }
  return Number.POSITIVE_INFINITY;
}

/** The smallest limit, in steps of 0.001, at which all below is expected to lose as much. */
function limitOf({ probabilities }: Population, loss: number): number {
  const scores = predictedLosses(probabilities).sort();
  let total = 0;
  const at = scores.findIndex((score) => {
    total += score;
    return total / scores.length >= loss;
  });
  return walkSteps(at < 0 ? 0.999 : scores[at]!, 1)[0] ?? 0.999;
}

/** What is drawn: labels of all requests; labels of those below the limit; or requests, of which as many as are below the limit get labels. */
type Choice = 'all' | 'below' | 'select';

/** Share of the population that certified thresholds escalate, one a resample, and how many of them truly lose more than the margin. */
function certify(
  population: Population,
  margin: number,
  n: number,
  {
    resamples,
    seed,
    limit = 1,
    choice = 'all',
  }: { resamples: number; seed: number; limit?: number; choice?: Choice },
) {
  const truth = populationTruth(population);
  const scores = predictedLosses(population.probabilities);
  const all = population.quality[0]!.length;
  const rowsBelow = Uint32Array.from(scores.keys()).filter((row) => scores[row]! <= limit);
  const share = rowsBelow.length / all;
  const pool = choice === 'below' ? casesInRows(population, rowsBelow) : population;
  const random = seededRandom(seed);
  const escalations = new Float64Array(resamples);
  let violations = 0;
  for (let resample = 0; resample < resamples; resample++) {
    const drawn = choice === 'select' ? Math.round(n / share) : n;
    const sealed = sealedOf(casesInRows(pool, drawRows(pool, drawn, random)), margin, limit);
    const { threshold, proved } = walkSealed(
      choice === 'below' ? { ...sealed, ...belowOf(limit, rowsBelow.length, all) } : sealed,
      walkSteps(-1, choice === 'below' ? limit : 0.999),
    );
    const found = proved ? truth.at(threshold) : { escalationRate: 1, loss: 0 };
    escalations[resample] = found.escalationRate;
    if (found.loss > margin) violations++;
  }
  return { escalations, violations, share };
}

/** Replies to requests above the limit are not labelled: a threshold that keeps one cheap counts it as lost. */
function sealedOf({ probabilities, quality }: CalibrationCases, margin: number, limit: number): Sealed {
  const scores = predictedLosses(probabilities);
  const labelled = quality.map((column) =>
    column.map((one, row) => (scores[row]! <= limit ? one : Number.NaN)),
  );
  const sample = { probabilities, quality: labelled };
  return {
    ...sealedCases(sample),
    suite: suiteSchema.parse({ name: 'labels', max_quality_loss: margin }),
    bets: drawnOrder(sample.quality[0]!.length),
    delta: DELTA,
  };
}

function belowOf(limit: number, below: number, all: number): Pick<Sealed, 'below'> {
  return {
    below: {
      limit,
      pool: all,
      share: {
        value: below / all,
        lower: clopperPearsonLower(below, all, SPENT),
        upper: clopperPearsonUpper(below, all, SPENT),
      },
      delta: DELTA - SPENT,
      escalated: () => 0,
    },
  };
}
