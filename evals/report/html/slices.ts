import * as Plot from '@observablehq/plot';
import type { Condition } from '../../../router/artifact/index.ts';
import type { Evidence } from '../../gate/index.ts';
import { countWord, DASH, lossWord, rateWord } from '../number-words.ts';
import type { Figure } from './figure.ts';
import { INK, plotSvg } from './plot-svg.ts';
import { nameAxis, ROW_HEIGHT_PX } from './row-names.ts';
import { intervalMarks, readableDomain } from './slice-intervals.ts';

/** Each slice's loss with its interval, and the margin it is held to. Undefined without slices. */
export function slices(evidence: Evidence, conditions: readonly Condition[]): Figure | undefined {
  if (evidence.slices.length === 0) return undefined;
  const margins = new Map(conditions.map(({ name, limits }) => [name, limits.max]));
  const rows = evidence.slices.map((one, row) => ({ ...one, row, margin: margins.get(`slice/${one.name}`) }));
  const overall = margins.get('quality-loss');
  const [left, right] = readableDomain(rows, overall);
  const svg = plotSvg('Quality loss of each slice with its interval and margin', {
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
        text: ({ n }) => `n ${countWord(n)}`,
      }),
    ],
  });
  return {
    title: 'Loss by slice',
    caption:
      "Dot and line: mean loss and its two-sided betting interval, each slice for itself. Broken line: the suite's margin over all cases; upright bar: the slice's own. Right is worse; below 0 routing is better than always strong. An arrow: the interval of a few cases goes on beyond the plot.",
    svg,
    numbers: [
      ['slice', 'n', 'escalated', 'loss', 'interval', 'margin'],
      ...rows.map(({ name, n, escalation_rate, quality_loss, low, high, margin }) => [
        name,
        countWord(n),
        rateWord(escalation_rate),
        lossWord(quality_loss),
        `${lossWord(low)} to ${lossWord(high)}`,
        margin === undefined ? DASH : lossWord(margin),
      ]),
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
      text: () => `margin ${lossWord(margin)}`,
    }),
  ];
}
