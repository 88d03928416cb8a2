import type { Condition, Manifest } from '../../router/artifact/index.ts';
import {
  averageImprovementInQuality,
  bootstrapInterval,
  brierDecomposition,
  costSaved,
  countSilentDowngrades,
  escalationRate,
  excessOverMix,
  excessOverMixInterval,
  logLoss,
  mean,
  performanceGapRecovered,
  qualityLosses,
  type RoutingCurve,
  reliabilityBins,
  routingCurve,
  routingEntropy,
  shareSaved,
  singleModels,
} from '../../router/statistics/index.ts';
import type { Evidence } from '../../router/verdict-report/index.ts';
import { amountsAt, decisionScores, predictedLosses } from '../threshold/index.ts';
import { type Baseline, baselineRows, LOGPROB_ALONE, PROMPT_ALONE } from './baselines.ts';
import { isCascade, measureCascade } from './cascade-evidence.ts';
import type { FlipCount } from './flips.ts';
import { ladderSentence, payingSentence, underVerdict } from './paying-sentence.ts';
import {
  headQuality,
  measureCurve,
  type PairedOutcomes,
  pairedOutcomes,
  thinCurveWithBand,
  unknownCosts,
} from './ranking.ts';
import { countByTier, countUnscored, measureSlices } from './slices.ts';
import type { LabelledBelow, Subject } from './subject.ts';

/** How an artifact decides, as far as the figures depend on it. */
export type Decided = Pick<Manifest, 'ladder' | 'cascade'>;

const HISTOGRAM_BINS = 40;
/** Confidence of each end of a bin's interval: two-sided 95 %. */
const BIN_DELTA = 0.025;
const WORST_SHOWN = 20;
/** Bounds the work of the interval of APGR: fewer resamples if there are very many cases. */
const RESAMPLED_CASES = 1e8;
const FEWEST_RESAMPLES = 100;
const MOST_RESAMPLES = 1000;
const HULL_POINTS = 20_000;
/** If the suite sets no margin of its own for a silent downgrade. */
const DOWNGRADE_MARGIN = 0.5;

/** If more cases lack an outcome, those that have all may be another population. */
const MOST_MISSING = 0.02;

/** With labels for a part of the requests nobody knows what escalating the others gains. */
const UNKNOWN_PAY = {
  routing_pays: false,
  conclusion:
    'Whether routing beats a random choice cannot be said from labels for a part of the requests: label some that were drawn from all of them, and see `plimsoll assess`.',
};

/** What the verdict rests on besides its conditions, for the reports: curve, baselines, slices, bins. */
export function collectEvidence(
  subject: Subject,
  flips: readonly FlipCount[],
  { ladder, cascade }: Decided,
  baselines: readonly Baseline[],
  conditions: readonly Condition[],
  hardCasesSha256?: string,
): Evidence {
  const { suite, labelled } = subject;
  const { replay: heldOut, rungs } = labelled;
  const outcomes = pairedOutcomes(heldOut);
  const scores = predictedLosses(decisionScores(heldOut));
  const strongServed = amountsAt(heldOut.costUsd, subject.threshold, heldOut.cascade).at(-1);
  const served =
    heldOut.cascade === undefined
      ? outcomes
      : { ...outcomes, strongCostUsd: strongServed ?? unknownCosts(heldOut.n) };
  const losses = qualityLosses(heldOut.quality, rungs);
  const strong = outcomes.strongQuality;
  const routed = strong.map((q, row) => q - losses[row]!);
  const quality = { cheap: mean(outcomes.cheapQuality), strong: mean(strong), routed: mean(routed) };
  const rate = escalationRate(rungs);
  const costs = heldOut.costUsd.map((column) => column ?? unknownCosts(heldOut.n));
  const singles = singleModels(heldOut.quality, costs);
  const curve = routingCurve(scores, outcomes.cheapQuality, strong, served);
  const ranking = measureCurve(curve);
  const resamples = Math.max(
    FEWEST_RESAMPLES,
    Math.min(MOST_RESAMPLES, Math.floor(RESAMPLED_CASES / heldOut.n)),
  );
  const interval = bootstrapInterval(scores, outcomes.cheapQuality, strong, { resamples });
  const margin = suite.silent_downgrades?.margin ?? DOWNGRADE_MARGIN;
  const paying =
    subject.below !== undefined || heldOut.n < (1 - MOST_MISSING) * subject.heldOut.n
      ? UNKNOWN_PAY
      : singles.hull !== undefined && ladder.length > 2
        ? ladderSentence(atEqualCost(subject))
        : payingSentence({
            ...ranking,
            quality,
            ...(interval && { interval }),
            ...simplerRankings(baselines),
          });
  const { nothing_similar: abstained } = countUnscored(subject.heldOut, subject.heldOut.traits.keys());
  const evidence: Evidence = {
    candidates: ladder.map(({ candidate, model }, rung) => ({
      candidate,
      model,
      quality: singles.models[rung]!.quality,
      cost_usd: singles.models[rung]!.costUsd ?? null,
    })),
    rungs: measureRungs(subject, ladder),
    quality,
    quality_loss: mean(losses),
    escalation_rate: rate,
    routing_entropy: routingEntropy(rungs, ladder.length).bits,
    pgr: performanceGapRecovered(quality.routed, quality.cheap, quality.strong) ?? null,
    apgr: ranking.apgr ?? null,
    apgr_interval: interval ? { low: interval.low, high: interval.high, level: interval.level } : null,
    aiq: measureAiq(curve) ?? null,
    cpt50: ranking.cpt50 ?? null,
    cpt80: ranking.cpt80 ?? null,
    cost: measureCosts(subject),
    ...(cascade &&
      isCascade(subject.heldOut) &&
      isCascade(heldOut) && {
        cascade: measureCascade(
          { heldOut: subject.heldOut, labelled: heldOut },
          subject.threshold,
          cascade,
          ladder,
        ),
      }),
    silent_downgrades: {
      margin,
      rate: countSilentDowngrades(losses, margin) / heldOut.n,
      worst: worstDowngrades(subject, losses, scores),
    },
    baselines: baselineRows(baselines),
    best_single: ladder[singles.best]!.candidate,
    mixing_hull: singles.hull?.map(({ cost, quality: q }) => ({ cost_usd: cost, quality: q })) ?? null,
    curves: [
      thinCurveWithBand('learned', curve, scores, outcomes),
      ...baselines.filter(({ name }) => name !== 'random').map((baseline) => baseline.curve),
    ],
    heads: measureHeads(subject),
    score_histogram: scoreHistogram(scores, outcomes),
    slices: measureSlices(subject, losses),
    ...(abstained !== undefined && { nothing_similar: abstained }),
    hard_cases: measureHardCases(subject, hardCasesSha256),
    flips: [...flips],
    routing_pays: paying.routing_pays,
    conclusion: underVerdict(paying, conditions),
  };
  return subject.below === undefined
    ? evidence
    : ofAllRequests(evidence, subject.below, subject.below.escalated(subject.threshold));
}

/** Always cheap and always strong come first among the baselines. */
const ENDS = 2;

/**
 * What labels of the requests below a limit say about all requests: what is lost, what stays cheap, and what the rungs below the strongest
 * reach. Nobody knows what the others would gain or cost, so baselines, curve and ranking are not measured.
 */
function ofAllRequests(evidence: Evidence, { share }: LabelledBelow, escalated: number): Evidence {
  const strongest = evidence.rungs.length - 1;
  const kept = 1 - evidence.rungs[strongest]!.share;
  const sharesOfAll = evidence.rungs.map((rung, i) =>
    i === strongest ? escalated : kept === 0 ? 0 : ((1 - escalated) * rung.share) / kept,
  );
  const nothing = { quality: null, cost_usd: null };
  return {
    ...evidence,
    candidates: evidence.candidates.map((one) => ({ ...one, ...nothing })),
    rungs: evidence.rungs.map((rung, i) => ({
      ...rung,
      ...(i === strongest && nothing),
      share: sharesOfAll[i]!,
    })),
    quality: { cheap: null, strong: null, routed: null },
    quality_loss: share.value * evidence.quality_loss,
    escalation_rate: 1 - sharesOfAll[0]!,
    routing_entropy: null,
    pgr: null,
    apgr: null,
    apgr_interval: null,
    aiq: null,
    cpt50: null,
    cpt80: null,
    cost: null,
    silent_downgrades: {
      ...evidence.silent_downgrades,
      rate: share.value * evidence.silent_downgrades.rate,
    },
    baselines: evidence.baselines.map((one, i) => ({
      ...one,
      ...nothing,
      escalation_rate: i < ENDS ? one.escalation_rate : 1 - sharesOfAll[0]!,
      apgr: null,
      cpt50: null,
      cpt80: null,
    })),
    best_single: null,
    mixing_hull: null,
    curves: [],
    slices: [],
  };
}

/** What the policy sends to each rung, and what that reaches and costs there. */
function measureRungs(
  { labelled: { replay, rungs }, threshold }: Subject,
  ladder: Manifest['ladder'],
): Evidence['rungs'] {
  const costs = amountsAt(replay.costUsd, threshold, replay.cascade);
  const sums = ladder.map(() => ({ n: 0, quality: 0, costUsd: 0 }));
  for (let row = 0; row < replay.n; row++) {
    const sum = sums[rungs[row]!]!;
    sum.n++;
    sum.quality += replay.quality[rungs[row]!]![row]!;
    sum.costUsd += costs[rungs[row]!]?.[row] ?? 0;
  }
  return sums.map(({ n, quality, costUsd }, rung) => ({
    candidate: ladder[rung]!.candidate,
    share: n / replay.n,
    quality: n === 0 ? null : quality / n,
    cost_usd: n === 0 || costs[rung] === undefined ? null : costUsd / n,
  }));
}

/** The policy against the best mix of the single models. @param subject of which every cost is known */
function atEqualCost({ labelled: { replay, rungs, units }, threshold }: Subject) {
  const costUsd = replay.costUsd as Float64Array[];
  const servedUsd = amountsAt(costUsd, threshold, replay.cascade);
  const outcomes = { quality: replay.quality, costUsd, servedUsd };
  const interval = excessOverMixInterval(outcomes, [rungs], { ...(units && { groups: units }) });
  return { excess: excessOverMix(outcomes, rungs).excess, interval };
}

export function measureCosts({ labelled: { replay: heldOut, rungs }, threshold }: Subject): Evidence['cost'] {
  const { costUsd } = heldOut;
  if (costUsd.includes(undefined)) return null;
  const strong = costUsd[costUsd.length - 1]!;
  const served = amountsAt(costUsd, threshold, heldOut.cascade);
  const routed = Float64Array.from(rungs, (rung, row) => served[rung]![row]!);
  const [routedUsd, cheapUsd, strongUsd] = [mean(routed), mean(costUsd[0]!), mean(strong)];
  // the same decisions dealt out at random
  const randomUsd = costUsd.reduce((total, column, rung) => {
    const chosen = rungs.reduce((count, one) => count + Number(one === rung), 0);
    return total + (chosen / rungs.length) * mean(column!);
  }, 0);
  return {
    routed_usd: routedUsd,
    cheap_usd: cheapUsd,
    strong_usd: strongUsd,
    saved_against_strong: costSaved(routed, strong) ?? null,
    saved_against_random: shareSaved(routedUsd, randomUsd) ?? null,
  };
}

/** A hull is made of a few points: of a long curve every k-th will do, and both ends. */
function measureAiq({ meanCostUsd, shareEscalated, meanQuality }: RoutingCurve): number | undefined {
  const every = Math.ceil(meanQuality.length / HULL_POINTS);
  const last = meanQuality.length - 1;
  const kept = (column: Float64Array) => column.filter((_, k) => k % every === 0 || k === last);
  return averageImprovementInQuality(kept(meanCostUsd ?? shareEscalated), kept(meanQuality));
}

function worstDowngrades(
  { labelled: { replay: heldOut } }: Subject,
  losses: Float64Array,
  scores: Float64Array,
) {
  const lost: number[] = [];
  losses.forEach((loss, row) => {
    if (loss > 0) lost.push(row);
  });
  return lost
    .sort((a, b) => losses[b]! - losses[a]! || scores[a]! - scores[b]! || a - b)
    .slice(0, WORST_SHOWN)
    .map((row) => ({ id: heldOut.traits[row]!.id, loss: losses[row]!, predicted_loss: scores[row]! }));
}

/** What would be simplerRankings than a classifier: the sentence names it if it does as well. */
function simplerRankings(baselines: readonly Baseline[]) {
  const rankingBy = (wanted: string) => baselines.find(({ name }) => name === wanted)?.ranking;
  const [task, length] = [rankingBy('task label'), rankingBy('prompt length')];
  const [prompt, logprob] = [rankingBy(PROMPT_ALONE), rankingBy(LOGPROB_ALONE)];
  return {
    ...(task && { task_label: task }),
    ...(length && { prompt_length: length }),
    ...(prompt && { prompt_alone: prompt }),
    ...(logprob && { logprob_alone: logprob }),
  };
}

function measureHeads({ labelled: { replay: heldOut }, candidates }: Subject): Evidence['heads'] {
  return candidates.map((candidate, rung) => {
    const probabilities = heldOut.probabilities[rung]!;
    const labels = heldOut.quality[rung]!;
    const { auroc, brier, ece } = headQuality(probabilities, labels);
    const { reliability, resolution, uncertainty } = brierDecomposition(probabilities, labels);
    const bins = reliabilityBins(probabilities, labels, BIN_DELTA);
    return {
      candidate,
      n: heldOut.n,
      auroc: auroc ?? null,
      brier,
      reliability,
      resolution,
      uncertainty,
      log_loss: logLoss(probabilities, labels),
      ece,
      bins,
    };
  });
}

function scoreHistogram(scores: Float64Array, outcomes: PairedOutcomes): Evidence['score_histogram'] {
  const low = scores.reduce((least, score) => Math.min(least, score), 1);
  const high = scores.reduce((most, score) => Math.max(most, Math.min(1, score)), -1);
  const width = (high - low) / HISTOGRAM_BINS;
  const strongBetter = new Array<number>(HISTOGRAM_BINS).fill(0);
  const cheapAsGood = new Array<number>(HISTOGRAM_BINS).fill(0);
  scores.forEach((score, row) => {
    const bin = width > 0 ? Math.min(HISTOGRAM_BINS - 1, Math.floor((score - low) / width)) : 0;
    const better = outcomes.strongQuality[row]! > outcomes.cheapQuality[row]!;
    (better ? strongBetter : cheapAsGood)[bin]!++;
  });
  const edges = Array.from({ length: HISTOGRAM_BINS + 1 }, (_, i) => low + i * width);
  return { edges, strong_better: strongBetter, cheap_as_good: cheapAsGood };
}

function measureHardCases({ hard, hardRungs }: Subject, sha256: string | undefined): Evidence['hard_cases'] {
  if (hard === undefined || hardRungs === undefined || sha256 === undefined) return null;
  const count = (tier: 'strong' | 'cheap', slice?: string) => countByTier(hard.cases, hardRungs, tier, slice);
  const [strong, cheap] = [count('strong'), count('cheap')];
  const names = [...new Set(hard.cases.map(({ slice }) => slice))];
  return {
    n: hard.cases.length,
    sha256,
    recall: strong.n > 0 ? strong.escalated / strong.n : null,
    kept_cheap: cheap.n > 0 ? 1 - cheap.escalated / cheap.n : null,
    slices: names.map((slice) => {
      const [s, c] = [count('strong', slice), count('cheap', slice)];
      return { slice, strong: s.n, escalated: s.escalated, cheap: c.n, kept_cheap: c.n - c.escalated };
    }),
  };
}
