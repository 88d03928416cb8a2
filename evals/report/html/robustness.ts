import * as Plot from '@observablehq/plot';
import type { Condition } from '../../../router/artifact/index.ts';
import type { Evidence } from '../../../router/verdict-report/index.ts';
import { DASH, formatCount, formatRate } from '../../format.ts';
import type { Figure } from './markup.ts';
import { INK, nameAxis, percentTick, ROW_HEIGHT_PX, renderPlot } from './plot.ts';

/** For cases whose tier is known: the share escalated of the strong ones and kept cheap of the cheap ones, by slice. */
export function hardCaseFigure(
  { hard_cases }: Evidence,
  conditions: readonly Condition[],
): Figure | undefined {
  if (hard_cases === null || hard_cases.slices.length === 0) return undefined;
  const rows = hard_cases.slices.map((one, row) => ({
    ...one,
    row,
    recall: share(one.escalated, one.strong),
    kept: share(one.kept_cheap, one.cheap),
  }));
  const least = conditions.find(({ name }) => name === 'hard-cases/recall')?.limits.min;
  const dot = { y: 'row', stroke: INK.text, r: 5 } as const;
  const svg = renderPlot(
    'Hard cases: share escalated of strong ones and kept cheap of cheap ones, by slice',
    {
      height: ROW_HEIGHT_PX * rows.length + 90,
      ...nameAxis(rows.map(({ slice }) => slice)),
      marginRight: 190,
      x: { domain: [0, 1], label: 'share of the cases', tickFormat: percentTick, ticks: 5 },
      marks: [
        Plot.gridX({ stroke: INK.rule, strokeOpacity: 1, ticks: 5 }),
        ...limitMarks(least),
        Plot.dot(
          rows.filter(({ kept }) => kept !== null),
          { ...dot, x: 'kept', symbol: 'square', fill: INK.paper },
        ),
        Plot.dot(
          rows.filter(({ recall }) => recall !== null),
          { ...dot, x: 'recall', fill: INK.accent },
        ),
        Plot.text(rows, {
          y: 'row',
          frameAnchor: 'right',
          textAnchor: 'start',
          dx: 14,
          fill: INK.muted,
          text: countLabel,
        }),
      ],
    },
  );
  return {
    title: 'Hard cases by slice',
    caption:
      'Filled circle: share escalated of the cases that need the strong candidate. Hollow square: share kept cheap of those that do not. Both belong on the right; the broken line is the least recall that is demanded.',
    svg,
    numbers: [
      ['slice', 'escalated of strong', 'recall', 'kept of cheap', 'kept cheap'],
      ...rows.map((one) => [
        one.slice,
        one.strong > 0 ? `${one.escalated} of ${one.strong}` : DASH,
        formatRate(one.recall),
        one.cheap > 0 ? `${one.kept_cheap} of ${one.cheap}` : DASH,
        formatRate(one.kept),
      ]),
    ],
  };
}

/** The share of decisions that each harmless edit moves to a cheaper rung, and all that it changes. Undefined if no edit was tried. */
export function flipFigure({ flips: edits }: Evidence, conditions: readonly Condition[]): Figure | undefined {
  if (edits.length === 0) return undefined;
  const limits = new Map(conditions.map(({ name, limits }) => [name, limits.max]));
  const rows = edits.map((one, row) => ({
    ...one,
    row,
    rate: share(one.cheaper, one.n),
    limit: limits.get(`flip-rate/${one.edit}`),
  }));
  const svg = renderPlot('Share of decisions moved to a cheaper rung by each harmless edit, with the limit', {
    height: ROW_HEIGHT_PX * rows.length + 90,
    ...nameAxis(rows.map(({ edit }) => edit)),
    marginRight: 130,
    x: {
      label: 'share of decisions moved to a cheaper rung',
      tickFormat: formatRate,
      ticks: 5,
      domain: [0, axisEnd(rows)],
    },
    marks: [
      Plot.gridX({ stroke: INK.rule, strokeOpacity: 1, ticks: 5 }),
      Plot.barX(
        rows.filter(({ rate }) => rate !== null),
        { y: 'row', x: 'rate', fill: INK.accent, insetTop: 7, insetBottom: 7 },
      ),
      Plot.tickX(
        rows.filter(({ limit }) => limit !== undefined),
        { y: 'row', x: 'limit', stroke: INK.text, strokeWidth: 2.5, insetTop: 3, insetBottom: 3 },
      ),
      Plot.ruleX([0], { stroke: INK.text }),
      Plot.text(rows, {
        y: 'row',
        frameAnchor: 'right',
        textAnchor: 'start',
        dx: 14,
        fill: INK.muted,
        text: ({ cheaper, n }) => `${formatCount(cheaper)} of ${formatCount(n)}`,
      }),
    ],
  });
  return {
    title: 'Decisions changed by harmless edits',
    caption:
      'Each bar is the share of decisions that an edit moves to a cheaper rung though it leaves the request what it is; the upright bar is the largest share allowed. Shorter is better. Moves to a more expensive rung cost money and are counted in the table.',
    svg,
    numbers: [
      ['edit', 'to a cheaper rung', 'to a more expensive one', 'n', 'share cheaper', 'limit'],
      ...rows.map(({ edit, flipped, cheaper, n, rate, limit }) => [
        edit,
        formatCount(cheaper),
        formatCount(flipped - cheaper),
        formatCount(n),
        formatRate(rate),
        limit === undefined ? DASH : formatRate(limit),
      ]),
    ],
  };
}

function limitMarks(least: number | undefined): Plot.Markish[] {
  if (least === undefined) return [];
  return [
    Plot.ruleX([least], { stroke: INK.text, strokeDasharray: '5 3' }),
    Plot.text([least], {
      x: (at: number) => at,
      frameAnchor: 'top',
      dy: -14,
      text: () => `at least ${formatRate(least)}`,
    }),
  ];
}

interface Counts {
  readonly strong: number;
  readonly escalated: number;
  readonly cheap: number;
  readonly kept_cheap: number;
}

function countLabel({ strong, escalated, cheap, kept_cheap: kept }: Counts): string {
  const parts = [
    ...(strong > 0 ? [`● ${escalated} of ${strong}`] : []),
    ...(cheap > 0 ? [`□ ${kept} of ${cheap}`] : []),
  ];
  return parts.join('   ') || DASH;
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

/** Fits every bar and limit, and is not 0 even if all of them are. */
function axisEnd(rows: readonly { rate: number | null; limit: number | undefined }[]): number {
  return Math.max(0.01, ...rows.flatMap(({ rate, limit }) => [rate ?? 0, limit ?? 0])) * 1.05;
}
