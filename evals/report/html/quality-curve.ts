import type { Curve, Evidence } from '../../gate/index.ts';
import { DASH, rateWord } from '../number-words.ts';
import type { Figure } from './figure.ts';
import { percentTick } from './plot-svg.ts';
import { qualityPlotSvg } from './quality-plot.ts';

const SAME_SHARE = 1e-9;
const EVERY = 5;

/** Quality against the share that is escalated: the classifier, what it is held against, and where the policy stands. */
export function qualityCurve(evidence: Evidence): Figure | undefined {
  const { curves, quality, baselines, escalation_rate } = evidence;
  if (curves.length === 0) return undefined;
  const [learned, ...others] = learnedFirst(curves);
  const svg = qualityPlotSvg({
    label: 'Mean quality against the share of cases escalated, with the operating point and every baseline',
    xLabel: 'share of cases escalated',
    xTick: percentTick,
    curves: [learned, ...others].map(({ share_escalated: x, quality: y, low, high }) => ({
      x,
      y,
      low,
      high,
    })),
    straight: [
      { x: 0, y: quality.cheap },
      { x: 1, y: quality.strong },
    ],
    points: baselines.map(({ name, escalation_rate: x, quality: y }) => ({ name, x, y })),
    policy: { x: escalation_rate, y: quality.routed },
  });
  const band = learned.low ? ', with a pointwise 95 % band of the mean (a description, no bound)' : '';
  return {
    title: 'Quality against the share escalated',
    caption: `The thick line is the classifier at every threshold${band}; broken lines are the baselines, the dotted straight line escalates at random. Higher at the same share is better.`,
    svg,
    numbers: numbersOf([learned, ...others]),
  };
}

/** The classifier's curve is the one with a band. */
export function learnedFirst(curves: readonly Curve[]): [Curve, ...Curve[]] {
  const learned = curves.find(({ low, high }) => low && high) ?? curves[0]!;
  return [learned, ...curves.filter((one) => one !== learned)];
}

function numbersOf([learned, ...others]: readonly [Curve, ...Curve[]]): string[][] {
  const { share_escalated: shares, quality, low, high } = learned;
  const rows = shares
    .map((share, i) => [
      rateWord(share),
      rateWord(quality[i]),
      low && high ? `${rateWord(low[i])} to ${rateWord(high[i])}` : DASH,
      ...others.map((one) => rateWord(one.quality[indexOfShare(one, share)])),
    ])
    .filter((_, i) => i % EVERY === 0 || i === shares.length - 1);
  return [['escalated', learned.name, 'band', ...others.map(({ name }) => name)], ...rows];
}

function indexOfShare({ share_escalated: shares }: Curve, share: number): number {
  return shares.findIndex((one) => Math.abs(one - share) < SAME_SHARE);
}
