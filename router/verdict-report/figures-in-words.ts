import type { Condition } from '../artifact/index.ts';

/* Figures as they stand in sentences. A bound is rounded so that the sentence stays true. */

/** Keeps a bound that is a whole tenth, but for the last bits, from being rounded away. */
const ROUNDING = 1e-9;

type Direction = 'nearest' | 'up' | 'down';

/** Hundredths of the quality scale, with one decimal: .0181 -> `1.8`. */
export function points(quality: number, direction: Direction = 'nearest'): string {
  return withoutMinusZero(rounded(1000 * quality, direction) / 10, 1);
}

/** A share, 0 to 1, as whole percent. What is neither none nor all does not look like it: .004 -> `less than 1 %`. */
export function wholePercent(share: number): string {
  const percent = Math.round(100 * share);
  if (percent === 0 && share > 0) return 'less than 1 %';
  if (percent === 100 && share < 1) return 'more than 99 %';
  return `${percent} %`;
}

/** A share, 0 to 1, with one decimal: .3672 -> `36.7 %`. */
export function percent(share: number, direction: Direction = 'nearest'): string {
  return `${withoutMinusZero(rounded(1000 * share, direction) / 10, 1)} %`;
}

/** A whole number with commas: 12,345. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** US dollars for 1,000 requests, from those for one: .00718 -> `$7.18`. */
export function costOfThousand(usd: number): string {
  const dollars = 1_000 * usd;
  const decimals =
    dollars === 0 || dollars >= 0.995 ? 2 : Math.min(6, 2 - Math.floor(Math.log10(dollars)) - 1);
  return `$${dollars.toFixed(decimals)}`;
}

/** Any verdict, as far as its confidence goes. */
export interface Promising {
  readonly schema_version: number;
  readonly looks?: { readonly confidence?: number | undefined };
}

/**
 * The confidence of a condition, as a share for a person. Of one that was tested at each step of the walk it is that of the whole promise, over
 * all looks at its cases, if the verdict says it: the bound of one look has a larger one.
 */
export function confidenceWords(
  verdict: Promising | undefined,
  { proof, confidence }: Pick<Condition, 'proof' | 'confidence'>,
): string {
  const promised = proof === 'walk' ? verdict?.looks?.confidence : undefined;
  return `${Math.floor(1_000 * (promised ?? confidence) + ROUNDING) / 10} %`;
}

function rounded(value: number, direction: Direction): number {
  if (direction === 'up') return Math.ceil(value - ROUNDING);
  return direction === 'down' ? Math.floor(value + ROUNDING) : Math.round(value);
}

function withoutMinusZero(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');
}
