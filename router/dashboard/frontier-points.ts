import {
  type Frontier,
  type FrontierPoint,
  isWalked,
  type Manifest,
  type StoredVerdict,
} from '../artifact/index.ts';
import { casesForecast } from '../statistics/index.ts';
import {
  type ChartPoint,
  chartScale,
  costOfThousand,
  count,
  type Evidence,
  points as hundredths,
  percent,
  type QualityChart,
} from '../verdict-report/index.ts';
import { wantedConfidence } from './certified.ts';

/** A threshold with all that the page says about it, as text: the browser moves among them and computes nothing. */
export interface ShownPoint {
  readonly threshold: number;
  /** Share of all requests, in percent with one decimal, as the number field has it. */
  readonly share: string;
  /** Place of the dot and length of its bound, in the units of the chart. */
  readonly x: number;
  readonly y: number;
  readonly bound: number;
  readonly words: Readonly<Record<(typeof FACTS)[number][0], string>>;
}

/** What is said about a point, in order. */
export const FACTS = [
  ['escalated', 'Sent to a stronger model'],
  ['saved', 'Saves, of the cost of always the strongest'],
  ['lost', 'Quality lost, as measured'],
  ['upper', 'Quality lost at most'],
  ['random', 'A random choice of the same share loses'],
  ['needed', 'To certify it'],
  ['threshold', 'Threshold'],
] as const;

/** What the gate said, and what it would judge another time. */
export interface Gated {
  readonly verdict: StoredVerdict;
  readonly policy: Manifest['policy'];
  /** When the term of the verdict ends. */
  readonly expires: string;
  /** Whether it has ended. */
  readonly isExpired: boolean;
}

export interface Drawn {
  readonly chart: QualityChart;
  readonly shown: readonly ShownPoint[];
  /** The point of the verdict. */
  readonly served: number;
}

/** Points that the page can draw: those whose loss was measured. Undefined if there are none, or nobody knows the quality of the strongest model. */
export function drawFrontier(
  gated: Gated,
  frontier: Frontier,
  evidence: Evidence,
  { at, margin }: { readonly at: (points: readonly FrontierPoint[]) => number; readonly margin: number },
): (Drawn & { readonly chosen: number }) | undefined {
  const { verdict } = gated;
  const { strong, cheap } = evidence.quality;
  const measured = frontier.points.filter(({ quality_loss: loss }) => loss !== null);
  if (strong === null || cheap === null || measured.length === 0) return undefined;
  const byCost = evidence.cost !== null && measured.every(({ cost_usd: usd }) => usd !== null);
  const xOf = (one: FrontierPoint) => (byCost ? one.cost_usd! : one.escalation_rate);
  const qualityOf = ({ quality_loss: loss }: FrontierPoint) => strong - loss!;
  const chosen = at(measured);
  const point = measured[chosen]!;
  const curves = baselines(evidence, { strong, cheap }, byCost);
  const chart: QualityChart = {
    label: `Quality against ${byCost ? 'cost' : 'the share sent to a stronger model'} at every threshold, with baselines. The list below has the numbers.`,
    xLabel: byCost ? 'dollars for 1,000 requests' : 'sent to a stronger model',
    xFormat: byCost ? (x) => `$${Number((1_000 * x).toPrecision(3))}` : (x) => `${Math.round(100 * x)} %`,
    curve: measured.map((one) => ({ x: xOf(one), quality: qualityOf(one) })),
    ...curves,
    chosen: {
      x: xOf(point),
      quality: qualityOf(point),
      atLeast: point.loss_upper === null ? undefined : strong - point.loss_upper,
    },
    floor: strong - margin,
  };
  const { atX, atY } = chartScale(chart);
  const shown = measured.map((one): ShownPoint => {
    const y = atY(qualityOf(one));
    return {
      threshold: one.threshold,
      share: (100 * one.escalation_rate).toFixed(1),
      x: Number(atX(xOf(one)).toFixed(1)),
      y: Number(y.toFixed(1)),
      bound: one.loss_upper === null ? 0 : Number((atY(strong - one.loss_upper) - y).toFixed(1)),
      words: factWords(one, { gated, evidence, margin, gap: strong - cheap }),
    };
  });
  const served = measured.findIndex(({ threshold }) => threshold === verdict.policy.threshold);
  return { chart, shown, served, chosen };
}

function baselines(
  { baselines: named, mixing_hull: hull, curves }: Evidence,
  { strong, cheap }: { readonly strong: number; readonly cheap: number },
  byCost: boolean,
): Pick<QualityChart, 'oracle' | 'mix' | 'points'> {
  const oracle = curves.find(({ name }) => name === 'oracle');
  const xs = byCost ? oracle?.cost_usd : oracle?.share_escalated;
  const mix: ChartPoint[] = byCost
    ? [...(hull ?? [])]
        .sort((a, b) => a.cost_usd - b.cost_usd)
        .map(({ cost_usd: x, quality }) => ({ x, quality }))
    : [
        { x: 0, quality: cheap },
        { x: 1, quality: strong },
      ];
  return {
    oracle: (xs ?? []).map((x, i) => ({ x, quality: oracle!.quality[i]! })),
    mix,
    points: named.flatMap(({ name, quality, cost_usd: usd, escalation_rate: share }) => {
      const x = byCost ? usd : share;
      if (quality === null || x === null) return [];
      const at = /^always/.test(name) ? '' : ', at the share of the verdict';
      return [{ name: `${name}${at}: quality ${hundredths(quality)}`, x, quality }];
    }),
  };
}

interface Surroundings {
  readonly gated: Gated;
  readonly evidence: Evidence;
  readonly margin: number;
  /** Between the strongest model and the cheapest. */
  readonly gap: number;
}

function factWords(
  point: FrontierPoint,
  { gated, evidence, margin, gap }: Surroundings,
): ShownPoint['words'] {
  const { quality_loss: loss, loss_upper: upper, escalation_rate: share, cost_usd: usd } = point;
  const strongUsd = evidence.cost?.strong_usd;
  const isKnown = usd !== null && strongUsd !== undefined && strongUsd > 0;
  return {
    escalated: `${percent(share)} of requests`,
    saved: isKnown
      ? `${percent(1 - usd / strongUsd)}: ${costOfThousand(usd)} in place of ${costOfThousand(strongUsd)} for 1,000`
      : 'not known, as not every cost is',
    lost: `${hundredths(loss!)} points`,
    upper: upper === null ? 'not known' : `${hundredths(upper, 'up')} points (bound)`,
    random:
      evidence.rungs.length === 2 ? `${hundredths((1 - share) * gap)} points` : 'said of two models alone',
    needed: neededWords(point, gated, margin),
    threshold: String(point.threshold),
  };
}

/** Fresh cases for a first look, at the confidence of the whole promise. */
function neededWords(
  { quality_loss: loss, loss_variance: variance, threshold }: FrontierPoint,
  { verdict, policy, isExpired }: Gated,
  margin: number,
): string {
  const own = verdict.conditions.find(({ name }) => name === 'quality-loss');
  const at = `a margin of ${marginPoints(margin)} points`;
  const isProved =
    verdict.verdict === 'PASS' &&
    own?.limits.max !== undefined &&
    margin >= own.limits.max &&
    threshold === verdict.policy.threshold && // a stricter one may lose more, and may not have been tried
    !isExpired;
  if (isProved) return `nothing more: the verdict proves it at ${at}`;
  const delta = ((1 - wantedConfidence(verdict)) * FIRST_LOOK) / Math.PI ** 2;
  const needed = casesForecast(loss!, variance, margin, delta);
  if (needed === undefined || needed > MOST_NEEDED)
    return `not at ${at}: it loses ${needed === undefined ? 'as much or more' : 'nearly as much'}`;
  const isJudged = isWalked(policy) || threshold === policy.threshold;
  const another = isJudged
    ? ''
    : `, of another artifact: the gate judges this one at ${policy.threshold} alone`;
  return `about ${count(roundedUp(needed))} fresh test requests at ${at}${another}`;
}

/** A margin in points: with one decimal, or as many digits as it has. */
export function marginPoints(margin: number): string {
  const exact = Number((100 * margin).toPrecision(12));
  const short = hundredths(margin);
  return Number(short) === exact ? short : String(exact);
}

/** The first look at some cases may spend 6 / pi^2 of the error, as the gate shares it out. */
const FIRST_LOOK = 6;
const MOST_NEEDED = 1e6;

/** A forecast has two figures. */
function roundedUp(cases: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(cases)) - 1);
  return Math.ceil(cases / unit) * unit;
}
