import { Command } from 'commander';
import { deltaOfLook, type Sealed, suiteSchema, walkSealed } from '../../evals/gate/index.ts';
import { type CalibrationCases, predictedLosses, walkSteps } from '../../evals/threshold/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { clopperPearsonLower, clopperPearsonUpper, seededRandom } from '../../router/statistics/index.ts';
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
/** The limit that plan-labels sets: where all below is expected to lose so many margins. */
const MARGINS_AT_LIMIT = 1.5;

const command = new Command('bench:labels')
  .description(
    'What labels are worth that were drawn only where a score may stay cheap, beside labels drawn from all requests.',
  )
  .requiredOption('--data <folder>', 'the converted public sets')
  .option('--resamples <n>', 'samples drawn for each row', wholeNumberBetween(1, 1e5), 200)
  .option('--seed <n>', 'of all draws', wholeNumberBetween(0, 2 ** 31 - 1), 7)
  .parse();

try {
  const { data, resamples, seed } = command.opts<{ data: string; resamples: number; seed: number }>();
  print(
    '| set | margin, labels | drawn from all | drawn below the limit (share) | violations |\n| --- | --- | ---: | ---: | ---: |\n',
  );
  for (const set of SETS) {
    const population = await scoreSet(await readSet(set, data));
    for (const [margin, n] of [
      [0.03, 1000],
      [0.03, 500],
      [0.02, 1000],
    ] as const) {
      const all = certify(population, margin, n, { resamples, seed });
      const limit = limitOf(population, MARGINS_AT_LIMIT * margin);
      const below = certify(population, margin, n, { resamples, seed, limit });
      const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
      print(
        `| ${set.name} | ${margin}, ${n} | ${percent(all.escalated)} | ${percent(below.escalated)} (${percent(below.share)}) | ${all.violations} and ${below.violations} of ${resamples} |\n`,
      );
    }
  }
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`labels: ${error.message}\n`);
  process.exitCode = 2;
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

/** Mean share of the population that certified thresholds escalate, and how many of them truly lose more than the margin. */
function certify(
  population: Population,
  margin: number,
  n: number,
  { resamples, seed, limit }: { resamples: number; seed: number; limit?: number },
) {
  const truth = populationTruth(population);
  const scores = predictedLosses(population.probabilities);
  const all = population.quality[0]!.length;
  const rowsBelow = Uint32Array.from(scores.keys()).filter((row) => scores[row]! <= (limit ?? 1));
  const pool = casesInRows(population, rowsBelow);
  const share = rowsBelow.length / all;
  const random = seededRandom(seed);
  let escalated = 0;
  let violations = 0;
  for (let resample = 0; resample < resamples; resample++) {
    const sample = casesInRows(pool, drawRows(pool, n, random));
    const { threshold, proved } = walkSealed(
      sealedOf(sample, n, margin, { limit, share, all, below: rowsBelow.length }),
      walkSteps(-1, limit ?? 0.999),
    );
    const found = proved ? truth.at(threshold) : { escalationRate: 1, loss: 0 };
    escalated += found.escalationRate / resamples;
    if (found.loss > margin) violations++;
  }
  return { escalated, violations, share };
}

function sealedOf(
  sample: CalibrationCases,
  n: number,
  margin: number,
  pool: { limit: number | undefined; share: number; all: number; below: number },
): Sealed {
  return {
    ...sealedCases(sample),
    suite: suiteSchema.parse({ name: 'labels', max_quality_loss: margin }),
    bets: drawnOrder(n),
    delta: DELTA,
    ...(pool.limit !== undefined && {
      below: {
        limit: pool.limit,
        pool: pool.all,
        share: {
          value: pool.share,
          lower: clopperPearsonLower(pool.below, pool.all, SPENT),
          upper: clopperPearsonUpper(pool.below, pool.all, SPENT),
        },
        delta: DELTA - SPENT,
        escalated: () => 0,
      },
    }),
  };
}
