import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { foldsByKey } from '../../evals/cases/index.ts';
import {
  collectReplay,
  judgeWalk,
  orderBets,
  type Replay,
  type Sealed,
  subjectAt,
  suiteSchema,
  walkSealed,
} from '../../evals/gate/index.ts';
import { loadLabelled, qualityColumns } from '../../evals/lifecycle/index.ts';
import { rungsAt, strictestWorthwhile, walkSteps } from '../../evals/threshold/index.ts';
import { sha256, type VerdictWord, worstOf } from '../../router/artifact/index.ts';
import { featureExtractor } from '../../router/classifier/index.ts';
import { createStaticEncoder } from '../../router/encoders/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import {
  clopperPearsonInterval,
  escalationRate,
  excessOverMix,
  mean,
  qualityLosses,
  seededRandom,
} from '../../router/statistics/index.ts';
import { crossValidate, designMatrix } from '../../router/train/index.ts';
import { numberBetween, wholeNumberBetween } from '../flags.ts';
import { print, printJson, showProgress } from '../terminal.ts';
import { RATIONAL } from './design/sets.ts';

const FILE = 'rational_cascades.jsonl.gz';
const MODELS: readonly string[] = RATIONAL.models;
/** Ladders of one maker, and of the models that are worth their price; the whole row includes models that are worse than cheaper ones. */
const LADDERS: readonly (readonly string[])[] = [
  ['llama3.1-8b', 'llama3.1-70b', 'llama3.1-405b'],
  ['gpt-4o-mini', 'llama3.1-70b', 'llama3.1-405b'],
  ['llama3.2-3b', 'llama3.2-1b', 'llama3.1-8b', 'llama3.1-70b', 'llama3.1-405b'],
  ['llama3.2-3b', 'gpt-4o-mini', 'llama3.1-70b', 'gpt-4o', 'llama3.1-405b'],
  MODELS,
];
const FOLDS = 5;
const FOLDS_SEED = 1;
const LOOSEST = 0.999;
/** The part of the error that the first look may spend. */
const FIRST_LOOK = 6 / Math.PI ** 2;

interface Flags {
  readonly data?: string;
  readonly resamples: number;
  readonly n: number;
  readonly margin: number;
  readonly seed: number;
  readonly scores?: string;
  readonly json?: boolean;
}

const command = new Command('bench:ladders')
  .description(
    'Ladders of 3, 5 and 9 rungs at the gate: verdicts on many samples of real cases, and the truth.',
  )
  .option('--data <folder>', 'the converted public sets (default: the folder that PLIMSOLL_DATA names)')
  .option('--resamples <n>', 'samples drawn for each ladder', wholeNumberBetween(1, 1e5), 200)
  .option('--n <cases>', 'cases in each', wholeNumberBetween(100, 1e5), 1000)
  .option('--margin <loss>', 'largest quality loss', numberBetween(0.001, 1), 0.03)
  .option('--seed <n>', 'of all draws', wholeNumberBetween(0, 2 ** 31 - 1), 1)
  .option(
    '--scores <file>',
    'JSON: keep the cross-validated scores there, and take them from there next time',
  )
  .option('--json', 'the result as one JSON document on stdout')
  .parse();

try {
  await bench(command.opts<Flags>());
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`ladders: ${error.message}\n`);
  process.exitCode = 2;
}

async function bench({ data, scores, json, ...settings }: Flags): Promise<void> {
  const folder = data ?? process.env['PLIMSOLL_DATA'];
  if (folder === undefined) {
    throw new PlimsollError(
      'invalid-input',
      `No data: name the folder with ${FILE} by --data or PLIMSOLL_DATA.`,
    );
  }
  const population = await readPopulation(path.join(folder, FILE), scores);
  const ladders = LADDERS.map((models) => measure(models, population, settings));
  if (json) printJson({ ...settings, data_sha256: population.sha256, ladders });
  else print(`${ladders.map(words).join('\n\n')}\n`);
}

/** All cases on all nine models, with scores of classifiers that saw none of them. */
interface Population {
  readonly sha256: string;
  readonly replay: Replay;
}

async function readPopulation(file: string, kept: string | undefined): Promise<Population> {
  const { cases, files } = await loadLabelled([file], { models: MODELS, onProgress: showProgress() });
  const probabilities = await scoresOf(kept, files[0]!.sha256, () => crossValidated(cases));
  const ladder = MODELS.map((model) => ({ candidate: model, model }));
  const scored = cases.map((one, row) => ({
    one,
    probabilities: probabilities.map((column) => column[row]!),
  }));
  return { sha256: files[0]!.sha256, replay: await collectReplay(scored, ladder) };
}

async function crossValidated(cases: Awaited<ReturnType<typeof loadLabelled>>['cases']): Promise<number[][]> {
  const matrix = await designMatrix(
    cases.map(({ text }) => text),
    createStaticEncoder(),
    featureExtractor(),
  );
  const step = 'cross-validation, fold';
  const progress = showProgress();
  const { probabilities } = crossValidate(
    { matrix, labels: qualityColumns(cases, MODELS), folds: foldsByKey(cases, FOLDS, FOLDS_SEED) },
    undefined,
    (done, total) => progress({ step, done, total }),
  );
  return probabilities.map((column) => Array.from(column));
}

async function scoresOf(
  file: string | undefined,
  of: string,
  make: () => Promise<number[][]>,
): Promise<number[][]> {
  if (file !== undefined && existsSync(file)) {
    const kept = JSON.parse(readFileSync(file, 'utf8'));
    if (kept.data_sha256 === of) return kept.probabilities;
    throw new PlimsollError('invalid-input', `The scores in ${file} are of other data: remove the file.`);
  }
  const probabilities = await make();
  if (file !== undefined) writeFileSync(file, JSON.stringify({ data_sha256: of, probabilities }));
  return probabilities;
}

interface LadderResult {
  readonly models: readonly string[];
  /** Verdicts of the samples, and those that agree with the truth about the policy that was chosen. */
  readonly verdicts: Readonly<Record<VerdictWord, number>>;
  readonly agree: number;
  readonly agree_interval: { readonly low: number; readonly high: number };
  /** PASS of a policy that truly breaks a demand, by the demand. */
  readonly false_pass: Readonly<Record<string, number>>;
  /** What kept the others from a PASS: how often each condition did. */
  readonly short: Readonly<Record<string, number>>;
  /** The chosen policies, measured on all cases: means over the samples, and the 5th and 95th percentile of the excess. */
  readonly true_loss: number;
  readonly strongest_rate: number;
  readonly quality: number;
  readonly cost_usd: number;
  readonly excess: number;
  readonly excess_range: { readonly low: number; readonly high: number };
  /** How often the bounds of the excess, each at .95, miss its truth. */
  readonly missed: { readonly lower_above: number; readonly upper_below: number };
  /** Excess over the mix of all nine models. */
  readonly excess_over_nine: number;
  /** The two-rung ladder up to the same strongest model that is cheapest on average when it is gated on the same samples. */
  readonly best_two: {
    readonly models: readonly string[];
    readonly cost_usd: number;
    readonly quality: number;
  };
  readonly saved_against_best_two: number;
}

function measure(
  models: readonly string[],
  { replay }: Population,
  { resamples, n, margin, seed }: Omit<Flags, 'data' | 'scores' | 'json'>,
): LadderResult {
  const whole = onModels(replay, models);
  const pairs = models.slice(0, -1).map((model) => onModels(replay, [model, models.at(-1)!]));
  const random = seededRandom(Number.parseInt(sha256(`${seed}/${models.join('/')}`).slice(0, 8), 16));
  const truths: (ReturnType<typeof truthAt> & { overNine: number })[] = [];
  const pairSums = pairs.map(() => ({ costUsd: 0, quality: 0 }));
  const counts = { verdicts: { PASS: 0, INCONCLUSIVE: 0, FAIL: 0 }, agree: 0 };
  const missed = { lower_above: 0, upper_below: 0 };
  const falsePass: Record<string, number> = {};
  const short: Record<string, number> = {};
  for (let resample = 0; resample < resamples; resample++) {
    const rows = Array.from({ length: n }, () => Math.floor(random() * replay.n));
    const { threshold, conditions } = gateOn(whole, models, rows, margin);
    const truth = truthAt(whole, threshold);
    const broken = brokenDemands(truth, margin);
    const verdict = worstOf(conditions.map((condition) => condition.verdict));
    counts.verdicts[verdict]++;
    if (verdict === (broken.length === 0 ? 'PASS' : 'FAIL')) counts.agree++;
    if (verdict === 'PASS') for (const name of broken) falsePass[name] = (falsePass[name] ?? 0) + 1;
    const { lower, upper } = conditions.find(({ name }) => name === 'beats-random')!.bounds;
    if (lower! > truth.excess) missed.lower_above++;
    if (upper! < truth.excess) missed.upper_below++;
    for (const { name, verdict: word } of conditions) {
      if (word !== 'PASS') short[`${name} ${word}`] = (short[`${name} ${word}`] ?? 0) + 1;
    }
    const nine = excessOverMix(
      ladderOutcomes(replay),
      toAll(models, rungsAt(whole.probabilities, threshold)),
    );
    truths.push({ ...truth, overNine: nine.excess });
    pairs.forEach((pair, i) => {
      const gated = gateOn(pair, ['cheap', 'strong'], rows, margin);
      const { costUsd, quality } = truthAt(pair, gated.threshold);
      pairSums[i]!.costUsd += costUsd / resamples;
      pairSums[i]!.quality += quality / resamples;
    });
  }
  const meanOf = (of: (truth: (typeof truths)[number]) => number) => mean(truths.map(of));
  const bestTwo = pairSums.reduce((best, sum, i) => (sum.costUsd < pairSums[best]!.costUsd ? i : best), 0);
  const sorted = truths.map(({ excess }) => excess).sort((a, b) => a - b);
  const costUsd = meanOf((truth) => truth.costUsd);
  return {
    models,
    verdicts: counts.verdicts,
    agree: counts.agree,
    agree_interval: clopperPearsonInterval(counts.agree, resamples, 0.05),
    false_pass: falsePass,
    short,
    true_loss: meanOf(({ loss }) => loss),
    strongest_rate: meanOf(({ strongestRate }) => strongestRate),
    quality: meanOf(({ quality }) => quality),
    cost_usd: costUsd,
    excess: meanOf(({ excess }) => excess),
    excess_range: {
      low: sorted[Math.floor(0.05 * resamples)]!,
      high: sorted[Math.ceil(0.95 * resamples) - 1]!,
    },
    missed,
    excess_over_nine: meanOf(({ overNine }) => overNine),
    best_two: {
      models: [models[bestTwo]!, models.at(-1)!],
      cost_usd: pairSums[bestTwo]!.costUsd,
      quality: pairSums[bestTwo]!.quality,
    },
    saved_against_best_two: 1 - costUsd / pairSums[bestTwo]!.costUsd,
  };
}

/** The gate with a suite of defaults, at the first look. Its walk begins where the scores of the whole population say. */
function gateOn(population: Replay, candidates: readonly string[], rows: readonly number[], margin: number) {
  const heldOut = onRows(population, rows);
  const suite = suiteSchema.parse({ name: 'ladders', max_quality_loss: margin });
  const sealed: Sealed = {
    suite,
    candidates,
    heldOut,
    bets: orderBets(heldOut.traits, suite, {
      batchOf: new Uint8Array(heldOut.n),
      contents: Float64Array.from(rows.keys()),
    }),
    delta: (1 - suite.confidence) * FIRST_LOOK,
  };
  const walked = walkSealed(sealed, walkSteps(strictestWorthwhile([...population.probabilities]), LOOSEST));
  const { threshold } = walked;
  return { threshold, conditions: judgeWalk(walked, subjectAt(sealed, threshold), []) };
}

function truthAt(population: Replay, threshold: number) {
  const rungs = rungsAt(population.probabilities, threshold);
  const strongest = population.quality.length - 1;
  return {
    loss: mean(qualityLosses(population.quality, rungs)),
    aboveCheapest: escalationRate(rungs),
    strongestRate: rungs.reduce((count, rung) => count + Number(rung === strongest), 0) / rungs.length,
    ...excessOverMix(ladderOutcomes(population), rungs),
  };
}

/** The demands of a suite of defaults that a policy truly breaks. */
function brokenDemands(
  { loss, aboveCheapest, strongestRate, excess }: ReturnType<typeof truthAt>,
  margin: number,
): string[] {
  return [
    ...(loss > margin ? ['quality-loss'] : []),
    ...(aboveCheapest < 0.01 || strongestRate > 0.99 ? ['escalation-rate'] : []),
    ...(excess <= 0 ? ['beats-random'] : []),
  ];
}

function ladderOutcomes({ quality, costUsd }: Replay) {
  return { quality, costUsd: costUsd as Float64Array[] };
}

function onModels(replay: Replay, models: readonly string[]): Replay {
  const of = <T>(columns: readonly T[]) => models.map((model) => columns[MODELS.indexOf(model)]!);
  return {
    ...replay,
    probabilities: of(replay.probabilities),
    quality: of(replay.quality),
    costUsd: of(replay.costUsd),
  };
}

/** Rows drawn more than once are requests of their own. */
function onRows(replay: Replay, rows: readonly number[]): Replay {
  const pick = (column: Float64Array) => Float64Array.from(rows, (row) => column[row]!);
  return {
    n: rows.length,
    traits: rows.map((row) => replay.traits[row]!),
    probabilities: replay.probabilities.map(pick),
    quality: replay.quality.map(pick),
    costUsd: replay.costUsd.map((column) => column && pick(column)),
  };
}

/** Rungs of a ladder as those of all nine. */
function toAll(models: readonly string[], rungs: Int32Array): Int32Array {
  return rungs.map((rung) => MODELS.indexOf(models[rung]!));
}

function words(result: LadderResult): string {
  const { verdicts, agree_interval: agree, best_two: two } = result;
  const total = verdicts.PASS + verdicts.INCONCLUSIVE + verdicts.FAIL;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const cost = (usd: number) => `$${(1000 * usd).toFixed(4)}`;
  return [
    `${result.models.length} rungs: ${result.models.join(', ')}`,
    `PASS ${verdicts.PASS}, INCONCLUSIVE ${verdicts.INCONCLUSIVE}, FAIL ${verdicts.FAIL} of ${total}; agree with the truth ${percent(result.agree / total)} (${percent(agree.low)} to ${percent(agree.high)})`,
    `false PASS: ${JSON.stringify(result.false_pass)}; short of a PASS: ${JSON.stringify(result.short)}`,
    `true loss ${result.true_loss.toFixed(4)}, on the strongest ${percent(result.strongest_rate)}, quality ${result.quality.toFixed(4)} for ${cost(result.cost_usd)} a thousand`,
    `above the mix of its models ${result.excess.toFixed(4)} (5th to 95th percentile ${result.excess_range.low.toFixed(4)} to ${result.excess_range.high.toFixed(4)}), of all nine ${result.excess_over_nine.toFixed(4)}; its bounds miss the truth: ${JSON.stringify(result.missed)}`,
    `best two ${two.models.join(', ')}: quality ${two.quality.toFixed(4)} for ${cost(two.cost_usd)}; saved against them ${percent(result.saved_against_best_two)}`,
  ].join('\n');
}
