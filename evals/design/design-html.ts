import { formatCost, formatRate } from '../format.ts';
import {
  drawQualityPlot,
  escapeHtml,
  type Figure,
  figureHtml,
  htmlPage,
  htmlTable,
} from '../report/index.ts';
import { labelsSentence, ladderRows, singleRows, taskRows } from './design-text.ts';
import type { Design } from './types.ts';

/** The design as one page that needs no network and no script, with the frontier as a picture. The same design gives the same bytes. */
export async function designHtml(design: Design): Promise<string> {
  const { sentence, assumptions, margin, ladder } = design;
  const title = `Design: ${ladder.map(({ model }) => model).join(', ')}`;
  return htmlPage(
    title,
    `<p class="eyebrow">A design, not a proof: at most ${margin} of quality lost</p>
<h1>${HEADINGS[design.advice]}</h1>
<p>${escapeHtml(sentence)}</p>
<section><h2>What is proposed</h2>${htmlTable('Proposal', ladderRows(design))}
${figureHtml(await frontierFigure(design))}</section>
<section><h2>One model alone</h2>${htmlTable('Single models', singleRows(design))}</section>
<section><h2>The mix</h2>${htmlTable('Tasks', taskRows(design))}</section>
<section><h2>What it takes to find out</h2><p>${escapeHtml(labelsSentence(design))}</p></section>
<section><h2>What this rests on</h2><ul>
${assumptions.map((one) => `<li>${escapeHtml(one)}</li>`).join('\n')}
</ul></section>`,
  );
}

const HEADINGS: Readonly<Record<Design['advice'], string>> = {
  route: 'Route',
  'one-model': 'One model will do',
  keep: 'Keep what there is',
};

/** Quality against cost: what the router may reach, each model alone, and their best mix. */
async function frontierFigure({ curve, policy, single_models, best_mix }: Design): Promise<Figure> {
  const rising = [...curve].reverse();
  const corners = best_mix.map(({ cost_usd, quality }) => ({ x: cost_usd, y: quality }));
  const dearest = Math.max(...single_models.map(({ cost_usd }) => cost_usd));
  const last = corners.at(-1)!;
  return {
    title: 'Quality against cost',
    caption:
      'The thick line is a router between the models of the ladder at every threshold, in a band of 95 % of what the assumptions allow; squares and diamonds are models alone, the dotted line their best mix at random. Higher and further left is better.',
    svg: await drawQualityPlot({
      label:
        'Expected quality against the cost of a thousand requests: the proposed router, each model alone, and their best mix',
      xLabel: 'US dollars for 1,000 requests',
      xTick: (x) => formatCost(x),
      learned: {
        x: rising.map(({ cost_usd }) => cost_usd),
        y: rising.map(({ quality }) => quality.expected),
        low: rising.map(({ quality }) => quality.low),
        high: rising.map(({ quality }) => quality.high),
      },
      curves: [],
      straight: last.x < dearest ? [...corners, { x: dearest, y: last.y }] : corners,
      points: single_models.map(({ model, cost_usd, quality }) => ({
        name: model,
        x: cost_usd,
        y: quality.expected,
      })),
      policy: { x: policy.cost_usd.expected, y: policy.quality.expected },
    }),
    numbers: [
      ['escalated', 'cost of 1,000', 'quality', '95 % interval'],
      ...rising.map(({ escalation_rate, cost_usd, quality }) => [
        formatRate(escalation_rate),
        formatCost(cost_usd),
        formatRate(quality.expected),
        `${formatRate(quality.low)} to ${formatRate(quality.high)}`,
      ]),
    ],
  };
}
