import type { Evidence } from '../../gate/index.ts';
import { costWord, rateWord } from '../number-words.ts';
import type { Figure } from './figure.ts';
import { learnedFirst } from './quality-curve.ts';
import { qualityPlotSvg } from './quality-plot.ts';

type Hull = NonNullable<Evidence['mixing_hull']>;

/** Quality against cost; undefined unless every cost is known. */
export function costCurve(evidence: Evidence): Figure | undefined {
  const { cost, mixing_hull: hull, quality, curves } = evidence;
  if (cost === null || hull === null || hull.length === 0) return undefined;
  const drawn = curves.length === 0 ? [] : learnedFirst(curves);
  const svg = qualityPlotSvg({
    label: 'Mean quality against mean cost, with the operating point, the candidates and every baseline',
    xLabel: 'US dollars for 1,000 cases',
    xTick: (usd) =>
      `$${costWord(usd)
        .slice(1)
        .replace(/\.?0+$/, '')}`,
    curves: drawn.flatMap(({ cost_usd: x, quality: y, low, high }) => (x ? [{ x, y, low, high }] : [])),
    straight: [...hull]
      .sort((a, b) => a.cost_usd - b.cost_usd)
      .map(({ cost_usd: x, quality: y }) => ({ x, y })),
    points: pointsOf(evidence),
    policy: { x: cost.routed_usd, y: quality.routed },
  });
  return {
    title: 'Quality against cost',
    caption:
      'As above, over what is paid. The dotted line is the hull: what mixing the candidates at random reaches. Above it, routing earns its keep.',
    svg,
    numbers: numbersOf(evidence, hull),
  };
}

/** Candidates that no baseline stands for: with two, always cheap and always strong are they. */
function pointsOf({ baselines, candidates }: Evidence) {
  const named = [
    ...baselines,
    ...candidates.slice(1, -1).map(({ model, ...rest }) => ({ name: model, ...rest })),
  ];
  return named.flatMap(({ name, cost_usd: x, quality: y }) => (x === null ? [] : [{ name, x, y }]));
}

function numbersOf({ cost, quality, baselines, candidates }: Evidence, hull: Hull): string[][] {
  const row = (name: string, usd: number | null, value: number) => [name, costWord(usd), rateWord(value)];
  return [
    ['point', 'cost of 1,000', 'quality'],
    row('this policy', cost!.routed_usd, quality.routed),
    ...candidates.map((one) => row(`${one.candidate}: ${one.model}`, one.cost_usd, one.quality)),
    ...baselines.map((one) => row(one.name, one.cost_usd, one.quality)),
    ...hull.map((one, i) => row(`hull, corner ${i + 1}`, one.cost_usd, one.quality)),
  ];
}
