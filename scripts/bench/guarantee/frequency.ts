import { clopperPearsonInterval } from '../../../router/statistics/index.ts';

/** How often something happened, with the exact (Clopper-Pearson) 95 % interval of its probability. */
export interface Frequency {
  readonly count: number;
  readonly of: number;
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

export const INTERVAL_LEVEL = 0.95;

export function frequency(count: number, of: number): Frequency {
  const { low, high } = clopperPearsonInterval(count, of, 1 - INTERVAL_LEVEL);
  return { count, of, rate: rounded(count / of), low: rounded(low), high: rounded(high) };
}

/** Six decimals: the digits after them differ by the order of summation at most. */
export function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
