import * as Plot from '@observablehq/plot';
import type { Evidence } from '../../gate/index.ts';
import { countWord, lossWord } from '../number-words.ts';
import type { Figure } from './figure.ts';
import { HALO, INK, plotSvg } from './plot-svg.ts';

/** Predicted loss by outcome, one upwards and one downwards, with the threshold. Undefined where there is no bin. */
export function scoreHistogram({ score_histogram }: Evidence, threshold: number): Figure | undefined {
  const { edges, strong_better: better, cheap_as_good: asGood } = score_histogram;
  if (better.length === 0 || edges.length !== better.length + 1) return undefined;
  const bins = better.map((up, i) => ({ x1: edges[i]!, x2: edges[i + 1]!, up, down: -asGood[i]! }));
  const place = { x1: 'x1', x2: 'x2', y1: 0, insetLeft: 1 } as const;
  const svg = plotSvg('Histogram of the predicted loss by outcome, with the threshold', {
    height: 320,
    marginTop: 34,
    marginLeft: 56,
    marginBottom: 44,
    x: { label: 'predicted loss of the cheapest candidate' },
    y: { label: 'cases', ticks: 6, tickSize: 0, tickFormat: (n: number) => countWord(Math.abs(n)) },
    marks: [
      Plot.gridY({ stroke: INK.rule, strokeOpacity: 1, ticks: 6 }),
      Plot.rect(bins, { ...place, y2: 'up', fill: INK.accent }),
      Plot.rect(bins, { ...place, y2: 'down', fill: INK.muted, fillOpacity: 0.45 }),
      Plot.ruleY([0], { stroke: INK.text }),
      Plot.ruleX([threshold], { stroke: INK.text, strokeWidth: 1.5, strokeDasharray: '5 3' }),
      ...sideNames(shareOf(edges, threshold) > 0.5 ? 'left' : 'right'),
      Plot.text([threshold], {
        x: (at: number) => at,
        frameAnchor: 'top',
        dy: -16,
        textAnchor: anchorIn(edges, threshold),
        text: () => `← stays cheap · threshold ${lossWord(threshold)} · escalated →`,
        ...HALO,
      }),
    ],
  });
  return {
    title: 'Predicted loss by outcome',
    caption:
      'Upwards, cases on which the strong candidate was really better; downwards, those on which the cheap one was as good. A good classifier parts the two at the threshold.',
    svg,
    numbers: [
      ['predicted loss', 'strong better', 'cheap as good'],
      ...bins.map(({ x1, x2, up, down }) => [
        `${lossWord(x1)} to ${lossWord(x2)}`,
        countWord(up),
        countWord(-down),
      ]),
    ],
  };
}

/** The words stay inside the plot where the threshold stands near an end. */
function anchorIn(edges: readonly number[], threshold: number): 'start' | 'middle' | 'end' {
  const share = shareOf(edges, threshold);
  if (share < 0.3) return 'start';
  return share > 0.7 ? 'end' : 'middle';
}

function shareOf(edges: readonly number[], at: number): number {
  return (at - edges[0]!) / (edges.at(-1)! - edges[0]!);
}

function sideNames(side: 'left' | 'right'): Plot.Markish[] {
  return [
    Plot.text(['↑ strong was better'], { frameAnchor: `top-${side}`, dy: 8, ...HALO }),
    Plot.text(['↓ cheap was as good'], { frameAnchor: `bottom-${side}`, dy: -8, ...HALO }),
  ];
}
