import * as Plot from '@observablehq/plot';
import type { Evidence } from '../../gate/index.ts';
import { countWord, lossWord, rateWord } from '../number-words.ts';
import type { Figure } from './figure.ts';
import { INK, percentTick, plotSvg } from './plot-svg.ts';

type Head = Evidence['heads'][number];

const SIDE_PX = 340;
const DIAGONAL = [
  { x: 0, y: 0 },
  { x: 1, y: 1 },
];

/** Do a head's probabilities come true? One point a bin, with an interval of what was observed. */
export function reliability({ candidate, n, bins, ece, brier, auroc }: Head): Figure {
  const axis = { domain: [0, 1], ticks: 5, tickFormat: percentTick } as const;
  const svg = plotSvg('Observed quality against predicted probability, with intervals and the diagonal', {
    width: SIDE_PX,
    height: SIDE_PX,
    marginTop: 30,
    marginLeft: 54,
    marginBottom: 42,
    x: { ...axis, label: 'predicted' },
    y: { ...axis, label: 'observed', tickSize: 0 },
    marks: [
      Plot.gridY({ stroke: INK.rule, strokeOpacity: 1, ticks: 5 }),
      Plot.line(DIAGONAL, { x: 'x', y: 'y', stroke: INK.muted, strokeDasharray: '4 4' }),
      Plot.ruleX(bins, { x: 'predicted', y1: 'low', y2: 'high', stroke: INK.accent, strokeWidth: 1.5 }),
      Plot.dot(bins, { x: 'predicted', y: 'observed', r: 4, fill: INK.accent, stroke: INK.paper }),
    ],
  });
  return {
    title: `Head ${candidate}`,
    caption: `${countWord(n)} cases. ECE ${lossWord(ece)}, Brier ${lossWord(brier)}, AUROC ${lossWord(auroc)}. On the broken line a probability is what it says.`,
    svg,
    numbers: [
      ['predicted', 'observed', 'interval', 'n'],
      ...bins.map(({ predicted, observed, low, high, n }) => [
        rateWord(predicted),
        rateWord(observed),
        `${rateWord(low)} to ${rateWord(high)}`,
        countWord(n),
      ]),
    ],
  };
}
