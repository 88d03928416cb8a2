import * as Plot from '@observablehq/plot';
import type { Condition } from '../../../router/artifact/index.ts';
import type { Evidence } from '../../../router/verdict-report/index.ts';
import { DASH, formatCount, formatLoss, formatRate } from '../../format.ts';
import { unscoredColumns } from '../verdict-text.ts';
import type { Figure } from './markup.ts';
import { INK, nameAxis, ROW_HEIGHT_PX, renderPlot } from './plot.ts';

/** With fewer cases, an interval says little and would squeeze the others. */
const FEW_CASES = 30;

/** A row of the plot: a slice's mean loss, its interval, and its margin if it has one. */
interface SliceRow {
  readonly row: number;
  readonly n: number;
  readonly quality_loss: number;
  readonly low: number;
  readonly high: number;
  readonly margin: number | undefined;
}

/** Each slice's loss with its interval and margin. Undefined without slices. */
export function sliceFigure(evidence: Evidence, conditions: readonly Condition[]): Figure | undefined {
  if (evidence.slices.length === 0) return undefined;
  const margins = new Map(conditions.map(({ name, limits }) => [name, limits.max]));
  const rows = evidence.slices.map((one, row) => ({ ...one, row, margin: margins.get(`slice/${one.name}`) }));
  const overall = margins.get('quality-loss');
  const unscored = unscoredColumns(rows);
  const [left, right] = readableDomain(rows, overall);
  const svg = renderPlot('Quality loss of each slice with its interval and margin', {
    height: ROW_HEIGHT_PX * rows.length + 90,
    ...nameAxis(rows.map(({ name }) => name)),
    marginRight: 74,
    x: {
      domain: [left, right],
      label: 'quality loss',
      ticks: 6,
      tickFormat: (x: number) => String(Number(x.toFixed(4))),
    },
    marks: [
      Plot.gridX({ stroke: INK.rule, strokeOpacity: 1, ticks: 6 }),
      Plot.ruleX([0], { stroke: INK.text }),
      ...overallMarks(overall),
      ...intervalMarks(rows, left, right),
      Plot.dot(rows, { y: 'row', x: 'quality_loss', r: 4.5, fill: INK.accent, stroke: INK.paper }),
      Plot.tickX(
        rows.filter(({ margin }) => margin !== undefined),
        { y: 'row', x: 'margin', stroke: INK.text, strokeWidth: 2.5, insetTop: 5, insetBottom: 5 },
      ),
      Plot.text(rows, {
        y: 'row',
        frameAnchor: 'right',
        textAnchor: 'start',
        dx: 10,
        fill: INK.muted,
        text: ({ n }) => `n ${formatCount(n)}`,
      }),
    ],
  });
  return {
    title: 'Loss by slice',
    caption:
      "Dot and line: mean loss and its betting interval, each slice for itself: two-sided at the suite's confidence whatever the look, a description. Under Conditions a slice has other bounds, each one-sided and at the confidence of this look. Broken line: the suite's margin over all cases; upright bar: the slice's own. Right is worse; below 0 routing is better than always strong. An arrow: the interval of a few cases goes on beyond the plot. In the table, unreadable: texts in a script that the encoder's vocabulary lacks, which the strongest model gets unscored.",
    svg,
    numbers: [
      ['slice', 'n', 'escalated', 'loss', 'interval', 'margin', ...unscored.heading],
      ...rows.map(
        ({ name, n, escalation_rate, quality_loss, low, high, margin, predicted_tasks, ...counts }) => [
          predicted_tasks === undefined ? name : `${name} (${formatCount(predicted_tasks)} predicted)`,
          formatCount(n),
          formatRate(escalation_rate),
          formatLoss(quality_loss),
          `${formatLoss(low)} to ${formatLoss(high)}`,
          margin === undefined ? DASH : formatLoss(margin),
          ...unscored.cells({ n, ...counts }),
        ],
      ),
    ],
  };
}

function overallMarks(margin: number | undefined): Plot.Markish[] {
  if (margin === undefined) return [];
  return [
    Plot.ruleX([margin], { stroke: INK.text, strokeDasharray: '5 3' }),
    Plot.text([margin], {
      x: (at: number) => at,
      frameAnchor: 'top',
      dy: -14,
      text: () => `margin ${formatLoss(margin)}`,
    }),
  ];
}

/** Covers all means and margins, and the intervals of slices with enough cases: that of three cases reaches from -1 to 1. */
export function readableDomain(rows: readonly SliceRow[], overall: number | undefined): [number, number] {
  const intervals = rows.filter(({ n }) => n >= FEW_CASES).flatMap(({ low, high }) => [low, high]);
  const margins = [overall, ...rows.map(({ margin }) => margin)].filter((one) => one !== undefined);
  const shown = [0, ...rows.map(({ quality_loss: mean }) => mean), ...margins, ...intervals];
  const padding = Math.max(0.002, (Math.max(...shown) - Math.min(...shown)) * 0.04);
  return [Math.max(-1, Math.min(...shown) - padding), Math.min(1, Math.max(...shown) + padding)];
}

/** Intervals, cut at the edges of the plot; an arrow marks a cut. */
function intervalMarks(rows: readonly SliceRow[], left: number, right: number): Plot.Markish[] {
  const cut = rows.map(({ row, low, high }) => ({ row, x1: Math.max(low, left), x2: Math.min(high, right) }));
  const arrows = (cutRows: readonly SliceRow[], x: number, text: string) =>
    Plot.text(cutRows, { y: 'row', x: () => x, text: () => text, fill: INK.accent, fontWeight: 'bold' });
  return [
    Plot.ruleY(cut, { y: 'row', x1: 'x1', x2: 'x2', stroke: INK.accent, strokeWidth: 2 }),
    arrows(
      rows.filter(({ low }) => low < left),
      left,
      '‹',
    ),
    arrows(
      rows.filter(({ high }) => high > right),
      right,
      '›',
    ),
  ];
}
