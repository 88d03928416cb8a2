import * as Plot from '@observablehq/plot';
import type { Condition } from '../../../router/artifact/index.ts';
import type { Evidence } from '../../gate/index.ts';
import { DASH, rateWord } from '../number-words.ts';
import type { Figure } from './figure.ts';
import { INK, percentTick, plotSvg } from './plot-svg.ts';
import { nameAxis, ROW_HEIGHT_PX } from './row-names.ts';

/** Of the cases whose tier is known: what was escalated of the strong ones, what stayed cheap of the cheap ones. */
export function hardCases({ hard_cases }: Evidence, conditions: readonly Condition[]): Figure | undefined {
  if (hard_cases === null || hard_cases.slices.length === 0) return undefined;
  const rows = hard_cases.slices.map((one, row) => ({
    ...one,
    row,
    recall: shareOf(one.escalated, one.strong),
    kept: shareOf(one.kept_cheap, one.cheap),
  }));
  const least = conditions.find(({ name }) => name === 'hard-cases/recall')?.limits.min;
  const place = { y: 'row', stroke: INK.text, r: 5 } as const;
  const svg = plotSvg('Hard cases: share escalated of strong ones and kept cheap of cheap ones, by slice', {
    height: ROW_HEIGHT_PX * rows.length + 90,
    ...nameAxis(rows.map(({ slice }) => slice)),
    marginRight: 190,
    x: { domain: [0, 1], label: 'share of the cases', tickFormat: percentTick, ticks: 5 },
    marks: [
      Plot.gridX({ stroke: INK.rule, strokeOpacity: 1, ticks: 5 }),
      ...limitMarks(least),
      Plot.dot(
        rows.filter(({ kept }) => kept !== null),
        { ...place, x: 'kept', symbol: 'square', fill: INK.paper },
      ),
      Plot.dot(
        rows.filter(({ recall }) => recall !== null),
        { ...place, x: 'recall', fill: INK.accent },
      ),
      Plot.text(rows, {
        y: 'row',
        frameAnchor: 'right',
        textAnchor: 'start',
        dx: 14,
        fill: INK.muted,
        text: countsOf,
      }),
    ],
  });
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
        rateWord(one.recall),
        one.cheap > 0 ? `${one.kept_cheap} of ${one.cheap}` : DASH,
        rateWord(one.kept),
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
      text: () => `at least ${rateWord(least)}`,
    }),
  ];
}

interface Counts {
  readonly strong: number;
  readonly escalated: number;
  readonly cheap: number;
  readonly kept_cheap: number;
}

function countsOf({ strong, escalated, cheap, kept_cheap: kept }: Counts): string {
  const parts = [
    ...(strong > 0 ? [`● ${escalated} of ${strong}`] : []),
    ...(cheap > 0 ? [`□ ${kept} of ${cheap}`] : []),
  ];
  return parts.join('   ') || DASH;
}

function shareOf(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
