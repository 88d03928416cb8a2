import { type Html, html } from '../markup.ts';

const HEIGHT = 100;
/** A bar that is not empty is seen. */
const LEAST = 1.5;

export interface ChartBar {
  /** Under the bar; empty for none. */
  readonly label: string;
  /** The bar in words, for screen readers and as a tooltip. */
  readonly words: string;
  /** At least 0. `rest` is drawn upon it, as an outline. */
  readonly solid: number;
  readonly rest: number;
}

/** Bars as a list: each says its own numbers, and the text stays text at every width. */
export function barChart(name: string, bars: readonly ChartBar[]): Html {
  const largest = Math.max(...bars.map(({ solid, rest }) => solid + rest), Number.MIN_VALUE);
  return html`<ol class="bars" aria-label="${name}">${bars.map((bar) => barHtml(bar, largest))}</ol>`;
}

function barHtml({ label, words, solid, rest }: ChartBar, largest: number): Html {
  const whole = heightOf(solid + rest, largest);
  const inner = Math.min(whole, heightOf(solid, largest));
  return html`<li title="${words}"><svg viewBox="0 0 10 ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true" focusable="false">${
    rest > 0 &&
    html`<rect class="rest" x="0.5" width="9" y="${shown(HEIGHT - whole)}" height="${shown(whole)}"/>`
  }<rect class="solid" x="0.5" width="9" y="${shown(HEIGHT - inner)}" height="${shown(inner)}"/></svg><span aria-hidden="true">${label}</span><span class="hidden">${words}</span></li>`;
}

function heightOf(value: number, largest: number): number {
  return value <= 0 ? 0 : Math.max(LEAST, (HEIGHT * value) / largest);
}

function shown(value: number): string {
  return value.toFixed(2);
}

/**
 * A line that fills up to a value, with a mark at its limit: how far something is loaded.
 * @param filled 0 to 1 of the whole length, like the mark
 */
export function loadLine(words: string, filled: number, mark: number): Html {
  const at = (share: number) => (100 * Math.min(1, Math.max(0, share))).toFixed(2);
  return html`<svg class="load" role="img" aria-label="${words}" viewBox="0 0 100 12" preserveAspectRatio="none"><rect class="track" width="100" height="6" y="3"/><rect class="fill${filled > mark && html` over`}" width="${at(filled)}" height="6" y="3"/><rect class="mark" x="${at(mark)}" width="0.6" height="12"/></svg>`;
}

/** Two shares of a whole, one after the other. @param share of the first, 0 to 1 */
export function splitLine(words: string, share: number): Html {
  const first = (100 * Math.min(1, Math.max(0, share))).toFixed(2);
  return html`<svg class="split" role="img" aria-label="${words}" viewBox="0 0 100 6" preserveAspectRatio="none"><rect class="track" width="100" height="6"/><rect class="fill" width="${first}" height="6"/></svg>`;
}

export interface ChartSpan {
  readonly label: string;
  readonly words: string;
  readonly fromMs: number;
  readonly ms: number;
  readonly isGood: boolean;
}

/** What happened when, as a list: each line says its own numbers. */
export function spanChart(name: string, spans: readonly ChartSpan[]): Html {
  const end = Math.max(...spans.map(({ fromMs, ms }) => fromMs + ms), Number.MIN_VALUE);
  const at = (ms: number) => ((100 * ms) / end).toFixed(2);
  return html`<ol class="spans" aria-label="${name}">${spans.map(
    ({ label, words, fromMs, ms, isGood }) =>
      html`<li><span>${label}</span><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="track" width="100" height="8"/><rect class="${isGood ? 'fill' : 'fill over'}" x="${at(fromMs)}" width="${Math.max(0.5, Number(at(ms)))}" height="8"/></svg><span class="muted">${words}</span></li>`,
  )}</ol>`;
}

/**
 * An interval against zero, which is the line in the middle. Filled if zero is outside, an outline if it is inside; the block across it is the estimate.
 * @param words the same in words, for screen readers
 */
export function intervalLine(
  words: string,
  { estimate, low, high }: { readonly estimate: number; readonly low: number; readonly high: number },
): Html {
  const reach = 1.1 * Math.max(Math.abs(low), Math.abs(high), Number.MIN_VALUE);
  const at = (value: number) => 50 + (50 * value) / reach;
  const isOutside = low > 0 || high < 0;
  const width = Math.max(LEAST, at(high) - at(low));
  return html`<svg class="interval" role="img" aria-label="${words}" viewBox="0 0 100 20" preserveAspectRatio="none"><rect class="track" width="100" height="2" y="9"/><rect class="mark" x="49.6" width="0.8" height="20"/><rect class="${isOutside ? 'fill' : 'rest'}" x="${shown(at(low))}" width="${shown(width)}" height="8" y="6"/><rect class="mark" x="${shown(at(estimate) - 0.8)}" width="1.6" height="12" y="4"/></svg>`;
}
