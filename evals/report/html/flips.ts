import * as Plot from '@observablehq/plot';
import type { Condition } from '../../../router/artifact/index.ts';
import type { Evidence } from '../../gate/index.ts';
import { countWord, DASH, rateWord } from '../number-words.ts';
import type { Figure } from './figure.ts';
import { INK, plotSvg } from './plot-svg.ts';
import { nameAxis, ROW_HEIGHT_PX } from './row-names.ts';

/** The share of decisions that each harmless edit changes. Undefined where no edit was tried. */
export function flips({ flips: edits }: Evidence, conditions: readonly Condition[]): Figure | undefined {
  if (edits.length === 0) return undefined;
  const limits = new Map(conditions.map(({ name, limits }) => [name, limits.max]));
  const rows = edits.map((one, row) => ({
    ...one,
    row,
    rate: one.n === 0 ? null : one.flipped / one.n,
    limit: limits.get(`flip-rate/${one.edit}`),
  }));
  const svg = plotSvg('Share of decisions changed by each harmless edit, with the limit', {
    height: ROW_HEIGHT_PX * rows.length + 90,
    ...nameAxis(rows.map(({ edit }) => edit)),
    marginRight: 130,
    x: { label: 'share of decisions changed', tickFormat: rateWord, ticks: 5, domain: [0, longest(rows)] },
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
        text: ({ flipped, n }) => `${countWord(flipped)} of ${countWord(n)}`,
      }),
    ],
  });
  return {
    title: 'Decisions changed by harmless edits',
    caption:
      'Each bar is the share of decisions that an edit changes which leaves the request what it is; the upright bar is the largest share allowed. Shorter is better.',
    svg,
    numbers: [
      ['edit', 'changed', 'n', 'share', 'limit'],
      ...rows.map(({ edit, flipped, n, rate, limit }) => [
        edit,
        countWord(flipped),
        countWord(n),
        rateWord(rate),
        limit === undefined ? DASH : rateWord(limit),
      ]),
    ],
  };
}

/** The axis holds every bar and limit, and has a length where all are 0. */
function longest(rows: readonly { rate: number | null; limit: number | undefined }[]): number {
  return Math.max(0.01, ...rows.flatMap(({ rate, limit }) => [rate ?? 0, limit ?? 0])) * 1.05;
}
