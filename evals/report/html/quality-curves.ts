import type { Curve, Evidence } from '../../../router/verdict-report/index.ts';
import { DASH, formatCost, formatRate } from '../../format.ts';
import type { Figure } from './markup.ts';
import { percentTick } from './plot.ts';
import { renderQualityPlot } from './quality-plot.ts';

const SAME_SHARE = 1e-9;
/** The table has every fifth point of the curve. */
const ROW_STEP = 5;

/** Quality against the share escalated: the classifier, if there is one, its baselines and the operating point. Undefined without curves. */
export function qualityCurveFigure(evidence: Evidence): Figure | undefined {
  const { quality, baselines, escalation_rate } = evidence;
  const { learned, others } = splitCurves(evidence);
  const { cheap, strong, routed } = quality;
  if (learned === undefined && others.length === 0) return undefined;
  if (cheap === null || strong === null || routed === null) return undefined;
  const drawn = ({ share_escalated: x, quality: y, low, high }: Curve) => ({ x, y, low, high });
  const svg = renderQualityPlot({
    label: 'Mean quality against the share of cases escalated, with the operating point and every baseline',
    xLabel: 'share of cases escalated',
    xTick: percentTick,
    learned: learned && drawn(learned),
    curves: others.map(drawn),
    straight: [
      { x: 0, y: cheap },
      { x: 1, y: strong },
    ],
    points: baselines.flatMap(({ name, escalation_rate: x, quality: y }) =>
      y === null ? [] : [{ name, x, y }],
    ),
    policy: { x: escalation_rate, y: routed },
  });
  return {
    title: 'Quality against the share escalated',
    caption: `${linesWords(learned)} are the baselines, the dotted straight line escalates at random. Higher at the same share is better.`,
    svg,
    numbers: qualityNumbers(learned === undefined ? others : [learned, ...others]),
  };
}

function linesWords(learned: Curve | undefined): string {
  if (learned === undefined) return 'Broken lines';
  const band = learned.low ? ', with a pointwise 95 % band of the mean (a description, no bound)' : '';
  return `The thick line is the classifier at every threshold${band}; broken lines`;
}

/** The classifier's curve, which has a band or comes first, and the baselines'. Decisions that were made elsewhere have no classifier. */
function splitCurves({ curves, heads }: Evidence): {
  readonly learned: Curve | undefined;
  readonly others: readonly Curve[];
} {
  const learned = curves.find(({ low, high }) => low && high) ?? (heads.length > 0 ? curves[0] : undefined);
  return { learned, others: curves.filter((curve) => curve !== learned) };
}

function qualityNumbers([first, ...others]: readonly Curve[]): string[][] {
  if (first === undefined) return [];
  const { share_escalated: shares, quality, low, high } = first;
  const rows = shares
    .map((share, i) => [
      formatRate(share),
      formatRate(quality[i]),
      low && high ? `${formatRate(low[i])} to ${formatRate(high[i])}` : DASH,
      ...others.map((one) => formatRate(one.quality[indexOfShare(one, share)])),
    ])
    .filter((_, i) => i % ROW_STEP === 0 || i === shares.length - 1);
  return [['escalated', first.name, 'band', ...others.map(({ name }) => name)], ...rows];
}

function indexOfShare({ share_escalated: shares }: Curve, share: number): number {
  return shares.findIndex((one) => Math.abs(one - share) < SAME_SHARE);
}

/** Quality against cost; undefined unless every cost is known. */
export function costCurveFigure(evidence: Evidence): Figure | undefined {
  const { cost, mixing_hull: hull } = evidence;
  const { routed } = evidence.quality;
  if (cost === null || routed === null || hull === null || hull.length === 0) return undefined;
  const { learned, others } = splitCurves(evidence);
  const drawn = ({ cost_usd: x, quality: y, low, high }: Curve) => (x ? [{ x, y, low, high }] : []);
  const svg = renderQualityPlot({
    label: 'Mean quality against mean cost, with the operating point, the candidates and every baseline',
    xLabel: 'US dollars for 1,000 cases',
    xTick: (usd) =>
      `$${formatCost(usd)
        .slice(1)
        .replace(/\.?0+$/, '')}`,
    learned: learned && drawn(learned)[0],
    curves: others.flatMap(drawn),
    straight: [...hull]
      .sort((a, b) => a.cost_usd - b.cost_usd)
      .map(({ cost_usd: x, quality: y }) => ({ x, y })),
    points: namedPoints(evidence),
    policy: { x: cost.routed_usd, y: routed },
  });
  return {
    title: 'Quality against cost',
    caption:
      'As above, over what is paid. The dotted line is the hull: what mixing the candidates at random reaches. Above it, routing earns its keep.',
    svg,
    numbers: costNumbers(evidence, cost.routed_usd, hull),
  };
}

/** The baselines, and the candidates between cheapest and strongest: those two are baselines already. */
function namedPoints({ baselines, candidates }: Evidence) {
  const named = [
    ...baselines,
    ...candidates.slice(1, -1).map(({ model, ...rest }) => ({ name: model, ...rest })),
  ];
  return named.flatMap(({ name, cost_usd: x, quality: y }) =>
    x === null || y === null ? [] : [{ name, x, y }],
  );
}

function costNumbers(
  { quality, baselines, candidates }: Evidence,
  routedUsd: number,
  hull: NonNullable<Evidence['mixing_hull']>,
): string[][] {
  const row = (name: string, usd: number | null, value: number | null) => [
    name,
    formatCost(usd),
    formatRate(value),
  ];
  return [
    ['point', 'cost of 1,000', 'quality'],
    row('this policy', routedUsd, quality.routed),
    ...candidates.map((one) => row(`${one.candidate}: ${one.model}`, one.cost_usd, one.quality)),
    ...baselines.map((one) => row(one.name, one.cost_usd, one.quality)),
    ...hull.map((one, i) => row(`hull, corner ${i + 1}`, one.cost_usd, one.quality)),
  ];
}
