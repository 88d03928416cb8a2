import * as Plot from '@observablehq/plot';
import { formatRate } from '../../format.ts';
import { HALO, INK, percentTick, renderPlot, shortName } from './plot.ts';

/** Quality as a function of what is spent. */
interface DrawnCurve {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly low?: readonly number[] | undefined;
  readonly high?: readonly number[] | undefined;
}

export interface QualityPlot {
  readonly label: string;
  readonly xLabel: string;
  readonly xTick: (x: number) => string;
  /** The classifier's; undefined if there is none. */
  readonly learned: DrawnCurve | undefined;
  /** The baselines'. */
  readonly curves: readonly DrawnCurve[];
  /** What mixing the candidates at random reaches, from left to right; at least two points. */
  readonly straight: readonly { readonly x: number; readonly y: number }[];
  readonly points: readonly NamedPoint[];
  readonly policy: { readonly x: number; readonly y: number };
}

/** A point with a name, in the units of the plot. */
interface NamedPoint {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** The operating point itself. */
  readonly isPolicy?: boolean;
}

interface PlacedLabel extends NamedPoint {
  /** Where the label begins or ends. */
  readonly labelX: number;
  readonly labelY: number;
}

interface LabelStack {
  readonly labels: readonly PlacedLabel[];
  readonly anchor: 'start' | 'end';
  /** The lowest value that the y axis must reach to make room for the labels. */
  readonly lowest: number;
}

/** The plot around the labels: the ends of its axes, the policy's place `at` on the x axis, its height, and the line below which nothing is drawn. */
interface LabelFrame {
  readonly x: { readonly low: number; readonly high: number };
  readonly at: number;
  readonly yHigh: number;
  readonly yLow: number;
  readonly heightPx: number;
  readonly floor: (x: number) => number;
}

const HEIGHT_PX = 430;
const MARGINS_PX = { marginTop: 40, marginBottom: 44, marginLeft: 56, marginRight: 24 } as const;
const INNER_PX = HEIGHT_PX - MARGINS_PX.marginTop - MARGINS_PX.marginBottom;
const DASHES = ['7 3', '2 3', '9 3 2 3', '4 2', '1 4'];
const HEADROOM = 0.004;
const LINE_HEIGHT_PX = 17;
const GAP_SHARE = 0.07;
const LABEL_WIDTH_SHARE = 0.32;
/** Shares of the x axis: points closer than this are above one another, or too close for separate labels. */
const SAME_PLACE = 0.005;
const NEAR = 0.25;

/** Curves, baselines and the operating point in one plot, with a label at each point. */
export function renderQualityPlot(plot: QualityPlot): string {
  const { x, marks, yDomain } = pointLayout(plot);
  return renderPlot(plot.label, {
    height: HEIGHT_PX,
    ...MARGINS_PX,
    x: { domain: [x.low, x.high], label: plot.xLabel, tickFormat: plot.xTick, ticks: 6 },
    y: { domain: yDomain, label: 'quality', tickFormat: percentTick, ticks: 6, tickSize: 0 },
    marks: [
      Plot.gridY({ stroke: INK.rule, strokeOpacity: 1, ticks: 6 }),
      Plot.line(plot.straight, { x: 'x', y: 'y', stroke: INK.muted, strokeDasharray: '1 4' }),
      ...curveMarks(plot),
      ...marks,
    ],
  });
}

/**
 * Places the labels of points that lie above one another, where the curves pass: stacked in the points' order in the empty corner
 * below the straight line from cheap to strong. Labels of neighbouring points come last, so that the connecting lines do not cross.
 */
export function stackedLabels(points: readonly NamedPoint[], frame: LabelFrame): LabelStack {
  const { x, at, yHigh, heightPx, floor } = frame;
  const width = x.high - x.low;
  const toTheRight = at + (GAP_SHARE + LABEL_WIDTH_SHARE) * width <= x.high;
  const labelX = at + (toTheRight ? 1 : -1) * GAP_SHARE * width;
  const top = floor(toTheRight ? at : Math.max(x.low, labelX - LABEL_WIDTH_SHARE * width));
  // The step in units of y depends on the lowest value, and that on the step: lowest = top - share * (yHigh - lowest)
  const share = ((points.length + 1) * LINE_HEIGHT_PX) / heightPx;
  const lowest = Math.min(frame.yLow, (top - share * yHigh) / (1 - share));
  const step = (LINE_HEIGHT_PX / heightPx) * (yHigh - lowest);
  const labels = [...points]
    .sort((a, b) => Math.abs(a.x - at) - Math.abs(b.x - at) || b.y - a.y)
    .map((point, i) => ({ ...point, labelX, labelY: top - (i + 1) * step }));
  return { labels, anchor: toTheRight ? 'start' : 'end', lowest };
}

/** Places labels above their points, each lifted above the labels that it would cover. `lineHeight` is in units of y, `width` of x. */
export function liftedLabels(
  points: readonly NamedPoint[],
  { lineHeight, width }: { readonly lineHeight: number; readonly width: number },
): PlacedLabel[] {
  const placed: PlacedLabel[] = [];
  for (const point of [...points].sort((a, b) => a.y - b.y)) {
    const below = placed.filter(({ x }) => Math.abs(x - point.x) < LABEL_WIDTH_SHARE * width);
    const free = Math.max(-Infinity, ...below.map(({ labelY }) => labelY + lineHeight));
    placed.push({ ...point, labelX: point.x, labelY: Math.max(point.y + 0.65 * lineHeight, free) });
  }
  return placed;
}

/** The classifier's curve is thick, in front of its band; the others are dashed. */
function curveMarks({ learned, curves }: Pick<QualityPlot, 'learned' | 'curves'>): Plot.Markish[] {
  const dashed = curves.map((curve, i) =>
    Plot.line(curve.x, { x: curve.x, y: curve.y, stroke: INK.muted, strokeDasharray: dashes(i) }),
  );
  if (learned === undefined) return dashed;
  const { x, y, low: y1, high: y2 } = learned;
  return [
    y1 && y2 ? Plot.areaY(x, { x, y1, y2, fill: INK.accent, fillOpacity: 0.16 }) : null,
    ...dashed,
    Plot.line(x, { x, y, stroke: INK.accent, strokeWidth: 2.5 }),
  ];
}

function dashes(i: number): string {
  return DASHES[i % DASHES.length] ?? '';
}

/** The position of each point's label, and how low the axis must reach for it. */
function pointLayout({ learned, curves, points, policy, straight }: QualityPlot) {
  const frame = axisLimits({ curves: learned ? [learned, ...curves] : curves, points, policy });
  const width = frame.x.high - frame.x.low;
  const isLeft = ({ x }: { readonly x: number }) => x - frame.x.low < width / 3;
  const { under, left, above } = groupByLabelPlace(points, policy, width, isLeft);
  const stack = stackedLabels(under, {
    ...frame,
    at: policy.x,
    heightPx: INNER_PX,
    floor: chord(straight),
  });
  const lifted = liftedLabels([{ name: 'this policy', ...policy, isPolicy: true }, ...above], {
    lineHeight: (LINE_HEIGHT_PX / INNER_PX) * (frame.yHigh - stack.lowest),
    width,
  });
  const marks = [
    ...stackMarks(stack.labels, stack.anchor),
    ...leftMarks(left),
    ...(['start', 'end'] as const).flatMap((anchor) => {
      const side = lifted.filter((one) => isLeft(one) === (anchor === 'start'));
      return liftedMarks(side, anchor);
    }),
  ];
  return { x: frame.x, yDomain: [stack.lowest, frame.yHigh], marks };
}

/** Points below the policy or near it are stacked; those at the left end have their labels there; all others have them above. */
function groupByLabelPlace(
  points: readonly NamedPoint[],
  policy: { readonly x: number; readonly y: number },
  width: number,
  isLeft: (one: { readonly x: number }) => boolean,
) {
  const isUnder = ({ x, y }: NamedPoint) => {
    const distance = Math.abs(x - policy.x) / width;
    return distance < SAME_PLACE ? y <= policy.y : distance < NEAR;
  };
  const under = points.filter(isUnder);
  const others = points.filter((one) => !isUnder(one));
  const isAtLeftEnd = (one: NamedPoint) => one.y <= policy.y && isLeft(one);
  return {
    under,
    left: others.filter(isAtLeftEnd),
    above: others.filter((one) => !isAtLeftEnd(one)),
  };
}

function axisLimits({ curves, points, policy }: Pick<QualityPlot, 'curves' | 'points' | 'policy'>) {
  const named = [...points, policy];
  const xs = [...curves.flatMap(({ x }) => x), ...named.map(({ x }) => x)];
  const ys = [
    ...curves.flatMap(({ y, low = [], high = [] }) => [...y, ...low, ...high]),
    ...named.map(({ y }) => y),
  ];
  return {
    x: { low: 0, high: Math.max(...xs) || 1 }, // if everything is free, the axis still needs a length
    yLow: Math.min(...ys) - HEADROOM,
    yHigh: Math.max(...ys) + HEADROOM,
  };
}

/** The line between the two ends: nothing is drawn below it, unless routing is worse than chance. */
function chord(line: QualityPlot['straight']): (x: number) => number {
  const [from, to] = [line.at(0), line.at(-1)];
  if (!from || !to) return () => 0;
  const slope = to.x > from.x ? Math.max(0, (to.y - from.y) / (to.x - from.x)) : 0;
  return (x) => Math.min(from.y, to.y) + slope * (x - from.x);
}

/** Points stacked above one another, each with a line to its label in the empty corner. */
function stackMarks(labels: readonly PlacedLabel[], anchor: 'start' | 'end'): Plot.Markish[] {
  const dx = anchor === 'start' ? 4 : -4;
  return [
    Plot.link(labels, { x1: 'x', y1: 'y', x2: 'labelX', y2: 'labelY', stroke: INK.muted, strokeWidth: 0.75 }),
    Plot.dot(labels, { x: 'x', y: 'y', r: 3.5, symbol: 'diamond', fill: INK.paper, stroke: INK.text }),
    Plot.text(labels, { x: 'labelX', y: 'labelY', text: pointLabel, textAnchor: anchor, dx, ...HALO }),
  ];
}

/** Points near the left end, with labels below the curves. */
function leftMarks(points: readonly NamedPoint[]): Plot.Markish[] {
  const label = { x: 'x', y: 'y', text: pointLabel, textAnchor: 'start', dx: 8, dy: 10 } as const;
  return [dots(points), Plot.text(points, { ...label, ...HALO })];
}

/** The other points, with labels above; the policy is the large dot with the bold label. */
function liftedMarks(labels: readonly PlacedLabel[], textAnchor: 'start' | 'end'): Plot.Markish[] {
  const dx = textAnchor === 'start' ? 9 : -9;
  const words = { x: 'labelX', y: 'labelY', text: pointLabel, textAnchor, dx, ...HALO } as const;
  const policy = labels.filter(({ isPolicy }) => isPolicy);
  const others = labels.filter(({ isPolicy }) => !isPolicy);
  return [
    dots(others),
    Plot.text(others, words),
    Plot.dot(policy, { x: 'x', y: 'y', r: 6, fill: INK.accent, stroke: INK.paper, strokeWidth: 2 }),
    Plot.text(policy, { ...words, fontWeight: 'bold' }),
  ];
}

function dots(points: readonly NamedPoint[]): Plot.Markish {
  return Plot.dot(points, {
    x: 'x',
    y: 'y',
    r: 3.5,
    symbol: 'square',
    fill: INK.paper,
    stroke: INK.text,
  });
}

function pointLabel({ name, y }: NamedPoint): string {
  return `${shortName(name)} ${formatRate(y)}`;
}
