import * as Plot from '@observablehq/plot';
import type { Evidence } from '../../../router/verdict-report/index.ts';
import { formatCount, formatLoss, formatRate } from '../../format.ts';
import type { Figure } from './markup.ts';
import { HALO, INK, percentTick, renderPlot } from './plot.ts';

const RELIABILITY_PX = 340;
const DIAGONAL = [
  { x: 0, y: 0 },
  { x: 1, y: 1 },
];

/** Histogram of the predicted loss by outcome, one upwards and one downwards, with the threshold. Undefined without bins. */
export function scoreFigure({ score_histogram }: Evidence, threshold: number): Figure | undefined {
  const { edges, strong_better: better, cheap_as_good: asGood } = score_histogram;
  if (better.length === 0 || edges.length !== better.length + 1) return undefined;
  const bins = better.map((up, i) => ({ x1: edges[i]!, x2: edges[i + 1]!, up, down: -asGood[i]! }));
  const bar = { x1: 'x1', x2: 'x2', y1: 0, insetLeft: 1 } as const;
  const svg = renderPlot('Histogram of the predicted loss by outcome, with the threshold', {
    height: 320,
    marginTop: 34,
    marginLeft: 56,
    marginBottom: 44,
    x: { label: 'predicted loss of the cheapest candidate' },
    y: { label: 'cases', ticks: 6, tickSize: 0, tickFormat: (n: number) => formatCount(Math.abs(n)) },
    marks: [
      Plot.gridY({ stroke: INK.rule, strokeOpacity: 1, ticks: 6 }),
      Plot.rect(bins, { ...bar, y2: 'up', fill: INK.accent }),
      Plot.rect(bins, { ...bar, y2: 'down', fill: INK.muted, fillOpacity: 0.45 }),
      Plot.ruleY([0], { stroke: INK.text }),
      Plot.ruleX([threshold], { stroke: INK.text, strokeWidth: 1.5, strokeDasharray: '5 3' }),
      ...sideLabels(position(edges, threshold) > 0.5 ? 'left' : 'right'),
      Plot.text([threshold], {
        x: (at: number) => at,
        frameAnchor: 'top',
        dy: -16,
        textAnchor: labelAnchor(edges, threshold),
        text: () => `← stays cheap · threshold ${formatLoss(threshold)} · escalated →`,
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
        `${formatLoss(x1)} to ${formatLoss(x2)}`,
        formatCount(up),
        formatCount(-down),
      ]),
    ],
  };
}

/** Reliability diagram of a head: one point per bin, with an interval of the observed quality. */
export function reliabilityFigure({
  candidate,
  n,
  bins,
  ece,
  brier,
  auroc,
}: Evidence['heads'][number]): Figure {
  const axis = { domain: [0, 1], ticks: 5, tickFormat: percentTick } as const;
  const svg = renderPlot('Observed quality against predicted probability, with intervals and the diagonal', {
    width: RELIABILITY_PX,
    height: RELIABILITY_PX,
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
    caption: `${formatCount(n)} cases. ECE ${formatLoss(ece)}, Brier ${formatLoss(brier)}, AUROC ${formatLoss(auroc)}. On the broken line a probability is what it says.`,
    svg,
    numbers: [
      ['predicted', 'observed', 'interval', 'n'],
      ...bins.map(({ predicted, observed, low, high, n }) => [
        formatRate(predicted),
        formatRate(observed),
        `${formatRate(low)} to ${formatRate(high)}`,
        formatCount(n),
      ]),
    ],
  };
}

/** Keeps the label inside the plot if the threshold is near an end. */
function labelAnchor(edges: readonly number[], threshold: number): 'start' | 'middle' | 'end' {
  const share = position(edges, threshold);
  if (share < 0.3) return 'start';
  return share > 0.7 ? 'end' : 'middle';
}

/** The threshold's place on the axis, as a share of its length. */
function position(edges: readonly number[], threshold: number): number {
  const [low = 0] = edges;
  return (threshold - low) / ((edges.at(-1) ?? low) - low);
}

function sideLabels(side: 'left' | 'right'): Plot.Markish[] {
  return [
    Plot.text(['↑ strong was better'], { frameAnchor: `top-${side}`, dy: 8, ...HALO }),
    Plot.text(['↓ cheap was as good'], { frameAnchor: `bottom-${side}`, dy: -8, ...HALO }),
  ];
}
