import type { Condition } from '../artifact/index.ts';
import { type Html, html, type Part } from '../markup.ts';
import { type Bar, barList } from './bars.ts';
import { conditionName } from './condition-sentence.ts';
import type { Curve, Evidence } from './evidence.ts';
import { costOfThousand, count, percent, points } from './figures-in-words.ts';
import { type ChartPoint, qualityChart } from './quality-chart.ts';
import type { AnyVerdict } from './summary.ts';

/** More slices are folded away. */
const SHOWN_SLICES = 10;
/** The margin is here on a bar, so that there is room for what breaks it. */
const MARK = 0.75;

/** Quality against cost, or against the share of requests escalated if not every cost is known. Undefined without qualities. */
export function qualityPicture(verdict: AnyVerdict, evidence: Evidence): Part {
  const { quality, cost, curves, baselines, candidates, mixing_hull: hull, heads } = evidence;
  const { routed, strong, cheap } = quality;
  if (routed === null || strong === null || cheap === null) return undefined;
  const byCost = cost !== null;
  const loss = verdict.conditions.find(({ name }) => name === 'quality-loss');
  const learned = curves.find(({ low, high }) => low && high) ?? (heads.length > 0 ? curves[0] : undefined);
  const oracle = curves.find(({ name }) => name === 'oracle');
  const xOf = (one: { readonly cost_usd: number | null; readonly escalation_rate: number }) =>
    byCost ? one.cost_usd : one.escalation_rate;
  const named = baselines.flatMap((one) => {
    const x = xOf(one);
    if (x === null || one.quality === null) return [];
    return [
      {
        name: `${BASELINES[one.name] ?? one.name}: ${figures(one.quality, x, byCost)}`,
        x,
        quality: one.quality,
      },
    ];
  });
  const middle = byCost
    ? candidates
        .slice(1, -1)
        .flatMap(({ model, quality: own, cost_usd: x }) =>
          own === null || x === null
            ? []
            : [{ name: `always ${model}: ${figures(own, x, byCost)}`, x, quality: own }],
        )
    : [];
  const chart = qualityChart({
    label: `Quality against ${byCost ? 'cost' : 'the share of requests sent to a stronger model'}: the router, its baselines and the margin. The list below has the numbers.`,
    xLabel: byCost ? 'dollars for 1,000 requests' : 'sent to a stronger model',
    xFormat: byCost ? (x) => `$${Number((1_000 * x).toPrecision(3))}` : (x) => `${Math.round(100 * x)} %`,
    curve: drawn(learned, byCost),
    oracle: oracle === learned ? [] : drawn(oracle, byCost),
    mix: mixLine(hull, cheap, strong, byCost),
    points: [...named, ...middle],
    chosen: {
      x: byCost ? cost.routed_usd : evidence.escalation_rate,
      quality: routed,
      atLeast: loss?.bounds.upper == null ? undefined : strong - loss.bounds.upper,
    },
    floor: loss?.limits.max === undefined ? undefined : strong - loss.limits.max,
  });
  const x = byCost ? cost.routed_usd : evidence.escalation_rate;
  return html`<section><h2>Quality against ${byCost ? 'cost' : 'the share sent to a stronger model'}</h2>
<p>Higher is better, and further left is cheaper. The router as judged: ${figures(routed, x, byCost)}.${!byCost && ' Not every cost is known, so the picture has shares in place of dollars.'}</p>
${chart}
<p class="explained"><strong>Quality</strong> is what the labels say of the replies, from 0 (bad) to 100 (good). The <strong>margin</strong> is the loss that you allow. A <strong>baseline</strong> is what one could do without this router; each stands at the share of requests that the router sends to a stronger model. <strong>Random</strong> sends the same share, drawn by lot.</p></section>`;
}

const BASELINES: Readonly<Record<string, string>> = {
  random: 'random, the same share',
  oracle: 'oracle, the same share',
};

function figures(quality: number, x: number, byCost: boolean): string {
  return `quality ${points(quality)}, ${byCost ? `${costOfThousand(x)} for 1,000 requests` : `${percent(x)} sent to a stronger model`}`;
}

function drawn(curve: Curve | undefined, byCost: boolean): ChartPoint[] {
  const xs = byCost ? curve?.cost_usd : curve?.share_escalated;
  if (curve === undefined || xs === undefined) return [];
  return xs.map((x, i) => ({ x, quality: curve.quality[i]! }));
}

/** Of two models of unknown cost: the straight line between them. */
function mixLine(
  hull: Evidence['mixing_hull'],
  cheap: number,
  strong: number,
  byCost: boolean,
): ChartPoint[] {
  if (!byCost) {
    return [
      { x: 0, quality: cheap },
      { x: 1, quality: strong },
    ];
  }
  return [...(hull ?? [])]
    .sort((a, b) => a.cost_usd - b.cost_usd)
    .map(({ cost_usd: x, quality }) => ({ x, quality }));
}

/** Which model gets how many of the requests, over all and by slice. */
export function sharesPicture({ rungs, candidates, slices, cascade }: Evidence): Html {
  const modelOf = (candidate: string) =>
    candidates.find((one) => one.candidate === candidate)?.model ?? candidate;
  const bars: Bar[] = rungs.map(({ candidate, share, quality }) => ({
    name: modelOf(candidate),
    words: `${percent(share)} of requests${quality === null ? '' : `, quality there ${points(quality)}`}`,
    filled: share,
  }));
  const bySlice = [...slices].sort((a, b) => b.n - a.n).map(sliceBar);
  const further = bySlice.slice(SHOWN_SLICES);
  return html`<section><h2>Where the requests go</h2>
${barList('Share of requests by model', bars)}
${cascade !== undefined && html`<p>A weaker model's reply is judged before it goes out: ${percent(cascade.share_accepted)} of requests keep it, ${percent(cascade.share_escalated)} go on to a stronger model after it, ${percent(cascade.share_skipped)} go straight to a stronger model.</p>`}
${bySlice.length > 0 && html`<h3>By slice: sent to a stronger model</h3>${barList('Share sent to a stronger model, by slice', bySlice.slice(0, SHOWN_SLICES))}`}
${further.length > 0 && html`<details><summary>${further.length} smaller slices</summary>${barList('Share sent to a stronger model, in smaller slices', further)}</details>`}
<p class="explained">A <strong>slice</strong> is a part of the test requests, such as one task or language. Its loss here is what was measured; with few requests that is little more than chance.</p></section>`;
}

function sliceBar({ name, n, escalation_rate: share, quality_loss: loss }: Evidence['slices'][number]): Bar {
  const lost = loss < 0 ? `gains ${points(-loss)}` : `loses ${points(loss)}`;
  return { name, words: `${percent(share)} of ${count(n)}, ${lost} points`, filled: share };
}

/** Each limit with what was measured and its bound: the bound must stay on the right side of the limit. */
export function boundsPicture({ conditions }: Pick<AnyVerdict, 'conditions'>): Part {
  const bars = conditions.flatMap(boundBar);
  if (bars.length === 0) return undefined;
  return html`<section><h2>How close to the limits</h2>
<p>Each bar ends at what was measured, and its outline at the bound. The upright line is the limit, which bar and outline must not cross.</p>
${barList('Measured values and their bounds against their limits', bars)}
<p class="explained">A <strong>bound</strong> is how bad the true value may be, given that the test requests were few. The <strong>walk</strong> tried thresholds from the most careful one on, each against the limits that are marked "promised", and stopped before the first at which one was not shown to hold. A <strong>threshold</strong> is how much worse a cheaper reply may be expected to be before the request goes to a stronger model.</p></section>`;
}

/** For values that must be small; values that must be large have no such picture. */
function boundBar({ name, value, bounds, limits, proof, ...rest }: Condition): Bar[] {
  const { max } = limits;
  if (max === undefined || max <= 0 || value === null || limits.min !== undefined) return [];
  const whole = max / MARK;
  const format = /^(quality-loss|slice|calibration)/.test(name) ? points : percent;
  const bound = bounds.upper === null ? '' : `, bound ${format(bounds.upper, 'up')}`;
  return [
    {
      name: `${conditionName({ name, value, bounds, limits, proof, ...rest })}${proof === 'walk' ? ' (promised)' : ''}`,
      words: `${format(value)}${bound}, limit ${format(max)}`,
      filled: value / whole,
      mark: MARK,
      ...(bounds.upper !== null && { upTo: bounds.upper / whole }),
    },
  ];
}
