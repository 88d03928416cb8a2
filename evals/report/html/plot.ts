import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** The page's colours, which follow its light or dark scheme. */
export const INK = {
  text: 'currentColor',
  muted: 'var(--muted)',
  rule: 'var(--rule)',
  accent: 'var(--accent)',
  paper: 'var(--paper)',
} as const;

/** Keeps text readable on top of lines: an outline in the page's colour. */
export const HALO = { stroke: INK.paper, strokeWidth: 5, fill: INK.text } as const;

export const ROW_HEIGHT_PX = 26;
const LONGEST_NAME = 24;

/**
 * A plot as one SVG element, without a browser. The class name is fixed: by default each run generates another one.
 *
 * @param label what a screen reader says instead; never a name from outside, since it is not escaped
 */
export function renderPlot(label: string, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    document,
    className: 'plot',
    ariaLabel: label,
    width: 660,
    ...options,
    style: { fontSize: '12.5px', overflow: 'visible' },
  });
  for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label'); // an image has one name, its own
  svg.setAttribute('role', 'img');
  return svg.outerHTML;
}

/** A name short enough for an axis or a label. */
export function shortName(name: string): string {
  const letters = [...name];
  return letters.length <= LONGEST_NAME ? name : `${letters.slice(0, LONGEST_NAME - 1).join('')}…`;
}

/** Percent without decimals: the table has the exact numbers. */
export function percentTick(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** A y axis with one name per row. The scale is the row's number: two names may be shortened to the same text. */
export function nameAxis(names: readonly string[]) {
  return {
    marginLeft: 204,
    marginTop: 34,
    marginBottom: 44,
    y: {
      type: 'band',
      domain: names.map((_, row) => row),
      tickFormat: (row: number) => shortName(names[row] ?? ''),
      tickSize: 0,
      label: null,
    },
  } as const;
}
