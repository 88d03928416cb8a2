import { type Html, html, type Part } from '../markup.ts';

/** One size for all widths: on a phone it fills the page, and letters stay letters. */
const WIDTH = 360;
const HEIGHT = 250;
const LEFT = 40;
const RIGHT = 14;
const TOP = 14;
const BOTTOM = 34;
const HEADROOM = 0.06;
const TICKS = 4;

/** A point of the chart: x in the chart's unit, quality 0 to 1. */
export interface ChartPoint {
  readonly x: number;
  readonly quality: number;
}

export interface NamedPoint extends ChartPoint {
  readonly name: string;
}

export interface QualityChart {
  /** What it shows, for screen readers. */
  readonly label: string;
  readonly xLabel: string;
  readonly xFormat: (x: number) => string;
  /** The router at every threshold; empty if that is not known. */
  readonly curve: readonly ChartPoint[];
  /** The best order of requests that there is: no router is above it. */
  readonly oracle: readonly ChartPoint[];
  /** What mixing models at random reaches. */
  readonly mix: readonly ChartPoint[];
  /** Each is drawn as a letter. */
  readonly points: readonly NamedPoint[];
  readonly chosen: ChartPoint & {
    /** The lowest quality that the bound leaves, if one is known. */
    readonly atLeast: number | undefined;
  };
  /** The lowest quality that the margin allows, if there is one. */
  readonly floor: number | undefined;
}

/** Where values are on the chart, in the units of its SVG. */
export interface ChartScale {
  readonly x: readonly [number, number];
  readonly quality: readonly [number, number];
  atX(x: number): number;
  atY(quality: number): number;
}

/** The scale on which `qualityChart` draws, for whoever moves the chosen point. */
export function chartScale({ curve, oracle, mix, points, chosen, floor }: QualityChart): ChartScale {
  const all = [...curve, ...oracle, ...mix, ...points, chosen];
  const extremes = [floor, chosen.atLeast].filter((one) => one !== undefined);
  const low = Math.min(...all.map(({ quality }) => quality), ...extremes);
  const high = Math.max(...all.map(({ quality }) => quality), ...extremes);
  const room = Math.max(0.005, (high - low) * HEADROOM);
  const widest = Math.max(...all.map(({ x }) => x)) || 1;
  const [bottomAt, topAt] = [low - room, high + room];
  return {
    x: [0, widest],
    quality: [bottomAt, topAt],
    atX: (x) => LEFT + (x / widest) * (WIDTH - RIGHT - LEFT),
    atY: (quality) => HEIGHT - BOTTOM - ((quality - bottomAt) / (topAt - bottomAt)) * (HEIGHT - BOTTOM - TOP),
  };
}

/** Quality against what is spent, as SVG that needs no style but its class names, and a legend in text. */
export function qualityChart(chart: QualityChart): Html {
  const scale = chartScale(chart);
  const { atX, atY } = scale;
  const [low, high] = scale.quality;
  const [left, right, bottom] = [LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM];
  const path = (points: readonly ChartPoint[]) =>
    points.map(({ x, quality }, i) => `${i === 0 ? 'M' : 'L'}${at(atX(x))} ${at(atY(quality))}`).join('');
  const line = (name: string, points: readonly ChartPoint[]) =>
    points.length > 1 && html`<path class="${name}" d="${path(points)}"/>`;
  const { chosen, floor } = chart;
  const [cx, cy] = [atX(chosen.x), atY(chosen.quality)];
  return html`<svg class="quality-chart" role="img" aria-label="${chart.label}" viewBox="0 0 ${WIDTH} ${HEIGHT}">
${ticks(low, high).map((quality) => html`<line class="grid" x1="${left}" x2="${right}" y1="${at(atY(quality))}" y2="${at(atY(quality))}"/><text x="${left - 5}" y="${at(atY(quality) + 4)}" text-anchor="end">${qualityTick(quality, high - low)}</text>`)}
${ticks(scale.x[0], scale.x[1]).map((x) => html`<text x="${at(atX(x))}" y="${bottom + 15}" text-anchor="middle">${chart.xFormat(x)}</text>`)}
<text x="${right}" y="${HEIGHT - 4}" text-anchor="end">${chart.xLabel}</text><text x="2" y="10">quality</text>
${floor !== undefined && html`<line class="floor" x1="${left}" x2="${right}" y1="${at(atY(floor))}" y2="${at(atY(floor))}"/>`}
${line('oracle', chart.oracle)}${line('mix', chart.mix)}${line('curve', chart.curve)}
${chart.points.map((point, i) => html`<g class="point" transform="translate(${at(atX(point.x))} ${at(atY(point.quality))})"><circle r="6.5"/><text y="3.5" text-anchor="middle">${letterOf(i)}</text></g>`)}
<g class="chosen" data-chosen transform="translate(${at(cx)} ${at(cy)})"><line class="bound" data-bound x1="0" x2="0" y1="0" y2="${at(chosen.atLeast === undefined ? 0 : atY(chosen.atLeast) - cy)}"/><circle r="6"/></g>
</svg>
${legend(chart)}`;
}

/** A, B, C and so on. */
export function letterOf(i: number): string {
  return String.fromCharCode(65 + (i % 26));
}

function legend({ curve, oracle, mix, floor, chosen, points }: QualityChart): Html {
  const lines: [boolean, string, string][] = [
    [curve.length > 1, 'curve', 'the router at every threshold'],
    [mix.length > 1, 'mix', 'the best mix of single models, drawn at random'],
    [oracle.length > 1, 'oracle', 'the oracle, which knows both replies beforehand: no router is better'],
    [floor !== undefined, 'floor', 'the lowest quality that the margin allows'],
    [chosen.atLeast !== undefined, 'bound', 'below the dot: how low its quality may truly be'],
  ];
  return html`<ul class="legend"><li><svg class="key-line" viewBox="0 0 26 14" aria-hidden="true"><g class="chosen"><circle cx="13" cy="7" r="6"/></g></svg> <strong>the chosen point</strong></li>${lines
    .filter(([isDrawn]) => isDrawn)
    .map(
      ([, name, words]) =>
        html`<li><svg class="key-line" viewBox="0 0 26 14" aria-hidden="true"><line class="${name}" ${name === 'bound' ? html`x1="13" x2="13" y1="0" y2="14"` : html`x1="0" x2="26" y1="7" y2="7"`}/></svg> ${words}</li>`,
    )}${points.map(({ name }, i) => html`<li><span class="letter" aria-hidden="true">${letterOf(i)}</span> ${name}</li>`)}</ul>`;
}

/** Round numbers from `low` to `high`. */
export function ticks(low: number, high: number): number[] {
  const rough = (high - low) / TICKS;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 2.5, 5, 10].find((one) => one * unit >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => (first + i) * step);
}

function qualityTick(quality: number, range: number): Part {
  return (100 * quality).toFixed(range < 0.05 ? 1 : 0).replace('-', '−');
}

function at(value: number): string {
  return value.toFixed(1);
}
