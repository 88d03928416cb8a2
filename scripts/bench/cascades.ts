import path from 'node:path';
import { Command } from 'commander';
import { type Case, checkedModels, foldsByKey, replyOf } from '../../evals/cases/index.ts';
import { deltaOfLook, suiteSchema, walkSealed } from '../../evals/gate/index.ts';
import {
  emptyCascade,
  loadLabelled,
  qualityColumns,
  scoreFold,
  withoutLogprobs,
  withReplies,
} from '../../evals/lifecycle/index.ts';
import {
  amountsAt,
  type CascadeScores,
  decisionScores,
  rungsAt,
  strictestWorthwhile,
  walkSteps,
} from '../../evals/threshold/index.ts';
import { sha256 } from '../../router/artifact/index.ts';
import { confidence } from '../../router/cascade/index.ts';
import { calibrated, featureExtractor } from '../../router/classifier/index.ts';
import { createStaticEncoder } from '../../router/encoders/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import {
  costSaved,
  escalationRate,
  mean,
  qualityLosses,
  seededRandom,
} from '../../router/statistics/index.ts';
import { designMatrix, outerFolds } from '../../router/train/index.ts';
import { numberBetween, wholeNumberBetween } from '../flags.ts';
import { print, printJson, showProgress } from '../terminal.ts';
import { drawnOrder, sealedCases } from './guarantee/gate.ts';

const FILE = 'rational_cascades_answers.jsonl.gz';
const PAIRS = [
  ['gpt-4o-mini', 'gpt-4o'],
  ['llama3.1-8b', 'llama3.1-405b'],
  ['llama3.1-70b', 'llama3.1-405b'],
] as const;
const FOLDS = 5;
const FOLDS_SEED = 1;
const CONFIDENCE = 0.95;
/** As in the gate. */
const LOOSEST = 0.999;

interface Settings {
  readonly resamples: number;
  readonly n: number;
  readonly margin: number;
  readonly seed: number;
}

interface Flags extends Settings {
  readonly data?: string;
  readonly ladder?: string;
  readonly json?: boolean;
}

const command = new Command('bench:cascades')
  .description(
    'What the gate lets a cascade keep cheap, and what the prompt alone, on many samples of real cases; and the truth about it.',
  )
  .option('--data <folder>', 'the converted public sets (default: the folder that PLIMSOLL_DATA names)')
  .option(
    '--ladder <models>',
    'in place of the three pairs: a ladder, cheapest first, with commas between, against each of its cheaper models with the strongest one',
  )
  .option('--resamples <n>', 'samples drawn for each pair', wholeNumberBetween(1, 1e5), 200)
  .option('--n <cases>', 'sealed cases in each', wholeNumberBetween(100, 1e5), 2000)
  .option('--margin <loss>', 'largest quality loss', numberBetween(0.001, 1), 0.02)
  .option('--seed <n>', 'of all draws', wholeNumberBetween(0, 2 ** 31 - 1), 1)
  .option('--json', 'the result as one JSON document on stdout')
  .parse();

try {
  await bench(command.opts<Flags>());
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`cascades: ${error.message}\n`);
  process.exitCode = 2;
}

async function bench({ data, ladder, json, ...settings }: Flags): Promise<void> {
  const folder = data ?? process.env['PLIMSOLL_DATA'];
  if (folder === undefined) {
    throw new PlimsollError(
      'invalid-input',
      `No data: name the folder with ${FILE} by --data or PLIMSOLL_DATA.`,
    );
  }
  const file = path.join(folder, FILE);
  if (ladder !== undefined) {
    const { result, dataSha256 } = await measureLadder(file, ladder.split(','), settings);
    if (json) printJson({ ...settings, confidence: CONFIDENCE, data_sha256: dataSha256, ...result });
    else print(`${ladderWords(result)}\n`);
    return;
  }
  const pairs: PairResult[] = [];
  let dataSha256 = '';
  for (const models of PAIRS) {
    const { cases, files } = await load(file, models);
    dataSha256 = files[0]!.sha256;
    pairs.push(measurePair(await scoreLadder(cases, models), models, settings));
  }
  if (json) printJson({ ...settings, confidence: CONFIDENCE, data_sha256: dataSha256, pairs });
  else print(`${pairs.map(words).join('\n\n')}\n`);
}

function load(file: string, models: readonly string[]) {
  return loadLabelled([file], { models, keepReplies: true, onProgress: showProgress() });
}

/** A way to decide, over all cases: each is scored by fits that saw none of its labels. */
interface Way {
  readonly name: string;
  /** What the threshold is compared with, `[rung][case]`. */
  readonly scores: readonly Float64Array[];
  /** If replies are looked at. */
  readonly cascade?: Pick<CascadeScores, 'checkedFrom'>;
}

interface Population {
  readonly quality: readonly Float64Array[];
  readonly costUsd: readonly Float64Array[];
  readonly ways: readonly Way[];
}

/**
 * Nested cross-validation, as in `assess --cascade`: in each outer fold the classifier, the judge and the path are learned by `train`'s own code from
 * the other folds.
 */
async function scoreLadder(cases: readonly Case[], models: readonly string[]): Promise<Population> {
  const quality = qualityColumns(cases, models);
  const texts = cases.map(({ text }) => text);
  const matrix = await designMatrix(texts, createStaticEncoder(), featureExtractor());
  const folds = foldsByKey(cases, FOLDS, FOLDS_SEED);
  const checked = checkedModels(models);
  const empty = () => new Float64Array(cases.length);
  const byPrompt = models.map(empty);
  const rungs = [...models.keys()];
  const judged = emptyCascade(models, cases.length);
  const unsure = emptyCascade(models, cases.length);
  const unsureCases = cases.map((one) => withReplies(one, checked, withoutLogprobs));
  let done = 0;
  for (const fold of outerFolds({ matrix, labels: quality, folds })) {
    const { outside, trained, logits } = fold;
    logits.forEach((column, h) => {
      outside.forEach((row, i) => {
        byPrompt[h]![row] = calibrated(column[i]!, trained.platt[h]!);
      });
    });
    scoreFold(cases, models, rungs, fold, judged);
    scoreFold(unsureCases, models, rungs, fold, unsure);
    process.stderr.write(`cascades: ${models.join(' -> ')}, fold ${++done} of ${FOLDS}\n`);
  }
  const always = { checkedFrom: checked.map(() => empty().fill(-1)) };
  const logprobs = cases.map((one) => confidence(replyOf(one, models[0]!) ?? {}) ?? Number.NEGATIVE_INFINITY);
  const looking = (
    name: string,
    keptFrom: readonly Float64Array[],
    cascade: Pick<CascadeScores, 'checkedFrom'>,
  ): Way => ({
    name,
    scores: decisionScores({ probabilities: [], cascade: { keptFrom } }),
    cascade,
  });
  return {
    quality,
    costUsd: models.map((model) => Float64Array.from(cases, ({ outcomes }) => outcomes.get(model)!.costUsd!)),
    ways: [
      { name: 'prompt alone', scores: byPrompt },
      looking('cascade', judged.keptFrom, judged),
      looking('always verify', judged.replyLosses, always),
      looking('without log-probabilities', unsure.keptFrom, unsure),
      // one scale for one model: between models it means nothing
      ...(checked.length === 1 ? [looking('log-probability alone', [sharesAbove(logprobs)], always)] : []),
    ],
  };
}

/** The share of the values that are above each: the steps of a walk are then alike, whatever the scale of the values. */
function sharesAbove(values: readonly number[]): Float64Array {
  const falling = [...values].sort((a, b) => b - a);
  const first = new Map<number, number>();
  falling.forEach((value, i) => {
    if (!first.has(value)) first.set(value, i / values.length);
  });
  return Float64Array.from(values, (value) => first.get(value)!);
}

interface WayResult {
  readonly name: string;
  /** By model, cheapest first, means over the samples; of a ladder alone. They add up to 1. */
  readonly shares?: Readonly<Record<string, number>>;
  /** Samples that prove a threshold; the others count as always-strong. */
  readonly proved: number;
  /** Samples whose threshold truly loses more than the margin. */
  readonly violations: number;
  /** Means over the samples of what their thresholds do to all cases, with the standard deviation of the share. */
  readonly share_escalated: number;
  readonly share_escalated_sd: number;
  readonly true_loss: number;
  /** Share of the cost of always-strong, cheap calls counted. */
  readonly saved_against_strong: number;
}

interface PairResult {
  readonly cheap: string;
  readonly strong: string;
  readonly cases: number;
  readonly ways: readonly WayResult[];
  /** Points of the share escalated that the cascade is below the prompt alone, in the mean of the samples. */
  readonly points_fewer: number;
}

function measurePair(
  population: Population,
  [cheap, strong]: readonly [string, string],
  settings: Settings,
): PairResult {
  const ways = population.ways.map((way) => {
    const { rungShares: _, ...result } = measureWay(way, population, `${cheap}/${strong}`, settings);
    return result;
  });
  return {
    cheap,
    strong,
    cases: population.quality[0]!.length,
    ways,
    points_fewer: 100 * (ways[0]!.share_escalated - ways[1]!.share_escalated),
  };
}

/** All ways see the same samples. The walk begins where the scores of the whole population say. */
function measureWay(
  way: Way,
  population: Population,
  pair: string,
  { resamples, n, margin, seed }: Settings,
): WayResult & { readonly rungShares: readonly number[] } {
  const random = seededRandom(Number.parseInt(sha256(`${seed}/${pair}`).slice(0, 8), 16));
  const suite = suiteSchema.parse({ name: 'cascades', max_quality_loss: margin, confidence: CONFIDENCE });
  const steps = walkSteps(strictestWorthwhile(way.scores), LOOSEST);
  const truths = new Map<number, Truth>();
  const found = Array.from({ length: resamples }, () => {
    const rows = Uint32Array.from({ length: n }, () => Math.floor(random() * population.quality[0]!.length));
    const pick = (column: Float64Array) => Float64Array.from(rows, (row) => column[row]!);
    const sample = { probabilities: way.scores.map(pick), quality: population.quality.map(pick) };
    const { proved, threshold } = walkSealed(
      { ...sealedCases(sample), suite, delta: deltaOfLook(1, CONFIDENCE), bets: drawnOrder(n) },
      steps,
    );
    const at = proved ? threshold : -1;
    const truth = truths.get(at) ?? truthAt(way, population, at);
    truths.set(at, truth);
    return { proved, ...truth };
  });
  const shares = found.map(({ share }) => share);
  const share = mean(shares);
  return {
    name: way.name,
    proved: found.filter(({ proved }) => proved).length,
    violations: found.filter(({ loss }) => loss > margin).length,
    share_escalated: share,
    share_escalated_sd: Math.sqrt(mean(shares.map((one) => (one - share) ** 2))),
    true_loss: mean(found.map(({ loss }) => loss)),
    saved_against_strong: mean(found.map(({ saved }) => saved)),
    rungShares: population.quality.map((_, rung) => mean(found.map(({ shares: own }) => own[rung]!))),
  };
}

interface Truth {
  readonly share: number;
  /** Shares of the rungs. */
  readonly shares: readonly number[];
  readonly loss: number;
  readonly saved: number;
}

/** At -1 nothing is kept and nothing is asked for: always-strong. */
function truthAt({ scores, cascade }: Way, { quality, costUsd }: Population, threshold: number): Truth {
  const strongest = quality.length - 1;
  if (threshold === -1)
    return { share: 1, shares: quality.map((_, rung) => Number(rung === strongest)), loss: 0, saved: 0 };
  const rungs = rungsAt(scores, threshold);
  const served = amountsAt(costUsd, threshold, cascade);
  const routed = Float64Array.from(rungs, (rung, row) => served[rung]![row]!);
  return {
    share: escalationRate(rungs),
    shares: quality.map((_, rung) => mean(Array.from(rungs, (one) => Number(one === rung)))),
    loss: mean(qualityLosses(quality, rungs)),
    saved: costSaved(routed, costUsd[strongest]!) ?? 0,
  };
}

interface LadderResult {
  readonly ladder: readonly string[];
  readonly cases: number;
  readonly ways: readonly WayResult[];
}

/** The ladder, and each of its cheaper models with the strongest one: all on the same samples. */
async function measureLadder(
  file: string,
  models: readonly string[],
  settings: Settings,
): Promise<{ readonly result: LadderResult; readonly dataSha256: string }> {
  const { cases, files } = await load(file, models);
  const strongest = models.at(-1)!;
  const ladders = [models, ...checkedModels(models).map((model) => [model, strongest])];
  const ways: WayResult[] = [];
  for (const ladder of ladders) {
    const population = await scoreLadder(cases, ladder);
    for (const way of population.ways) {
      const { rungShares, ...result } = measureWay(way, population, models.join('/'), settings);
      const shares = Object.fromEntries(ladder.map((model, rung) => [model, rungShares[rung]!]));
      ways.push({ ...result, name: `${ladder.join(' -> ')}: ${way.name}`, shares });
    }
  }
  return { result: { ladder: models, cases: cases.length, ways }, dataSha256: files[0]!.sha256 };
}

function ladderWords({ ladder, cases, ways }: LadderResult): string {
  return [
    `${ladder.join(' -> ')}, ${cases} cases`,
    ...ways.map(
      ({ name, shares = {}, ...way }) =>
        `${name}: ${Object.entries(shares)
          .map(([model, share]) => `${model} ${percent(share)}`)
          .join(
            ', ',
          )}; saves ${percent(way.saved_against_strong)}, true loss ${way.true_loss.toFixed(4)}, proved ${way.proved}, violations ${way.violations}`,
    ),
  ].join('\n');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function words({ cheap, strong, cases, ways, points_fewer: fewer }: PairResult): string {
  return [
    `${cheap} -> ${strong}, ${cases} cases: the cascade escalates ${fewer.toFixed(1)} points fewer than the prompt alone`,
    ...ways.map(
      (way) =>
        `${way.name}: escalates ${percent(way.share_escalated)} (sd ${percent(way.share_escalated_sd)}), saves ${percent(way.saved_against_strong)}, true loss ${way.true_loss.toFixed(4)}, proved ${way.proved}, violations ${way.violations}`,
    ),
  ].join('\n');
}
