import { type Html, html } from '../markup.ts';

export interface Bar {
  readonly name: string;
  /** What the bar says, in words: they stand beside it. */
  readonly words: string;
  /** 0 to 1 of the length: filled up to here. */
  readonly filled: number;
  /** 0 to 1: a thin line across, such as a limit. */
  readonly mark?: number;
  /** 0 to 1: an outline goes on from what is filled up to here, such as a bound. */
  readonly upTo?: number;
}

/** Bars as a list whose text stays text at every width; the drawing only repeats what the words say. */
export function barList(label: string, bars: readonly Bar[]): Html {
  return html`<ul class="bar-list" aria-label="${label}">${bars.map(barHtml)}</ul>`;
}

function barHtml({ name, words, filled, mark, upTo }: Bar): Html {
  const end = within(filled);
  return html`<li><span class="bar-name">${name}</span> <span class="bar-words">${words}</span><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="track" width="100" height="8"/><rect class="filled" width="${at(end)}" height="8"/>${
    upTo !== undefined &&
    within(upTo) > end &&
    html`<rect class="up-to" x="${at(end)}" width="${at(within(upTo) - end)}" height="8"/>`
  }${mark !== undefined && html`<rect class="limit" x="${at(Math.min(99, within(mark)))}" width="1" height="8"/>`}</svg></li>`;
}

function within(share: number): number {
  return 100 * Math.min(1, Math.max(0, share));
}

function at(value: number): string {
  return value.toFixed(2);
}
