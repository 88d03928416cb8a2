import { hash } from 'node:crypto';
import { PlimsollError } from '../../router/errors.ts';
import type { Case } from '../cases/index.ts';
import type { Suite } from './suite.ts';

/**
 * The cases with the weights that count. Equal ones cancel and are dropped, so that cases which were all drawn with one probability are judged as if they had
 * none.
 * @throws PlimsollError `invalid-input` if they differ, and the suite says nothing of a largest weight, or one is above it
 */
export function withSealedWeights<One extends Pick<Case, 'id' | 'weight'>>(
  cases: readonly One[],
  { largest_weight: largest }: Pick<Suite, 'largest_weight'>,
): readonly One[] {
  const weights = cases.map(({ weight = 1 }) => weight);
  const [least, most] = weights.reduce(
    ([low, high], weight) => [Math.min(low, weight), Math.max(high, weight)],
    [Number.POSITIVE_INFINITY, 0],
  );
  if (least === most) return least === 1 ? cases : cases.map(({ weight: _, ...one }) => one as One);
  if (largest === undefined) {
    throw weightError(
      `The cases stand for different numbers of requests, ${short(least)} to ${short(most)} each (1 / sampling_probability, or weight), and the suite does not say how many one can stand for. The bounds need that, and it must not be read off these cases. Write largest_weight into the suite: 1 / the smallest probability with which a request could be drawn. For captured requests that is 1 / (share * max(1/4, share)), with the smallest capture.share that you used.`,
    );
  }
  const above = cases.find(({ weight = 1 }) => weight > largest * (1 + ROUNDING));
  // one that stands for a single request says so: bets on it are others than where none has a weight, so that what was looked at like that is no batch of this look
  if (above === undefined) return cases.map((one) => ({ ...one, weight: one.weight ?? 1 }));
  throw weightError(
    `The case ${JSON.stringify(above.id)} has a weight of ${short(above.weight ?? 1)}, and the suite says that the largest is ${largest}. Set largest_weight to 1 / the smallest probability with which a request could be drawn, or leave the case out of the draw.`,
  );
}

/** 1 / (1 / 50) may be a little more than 50. */
const ROUNDING = 1e-9;

function weightError(message: string): PlimsollError {
  return new PlimsollError('invalid-input', message, { place: { field: 'largest_weight' } });
}

function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/**
 * Rows that stand for as many requests each: one of weight w is among them with the probability w / the largest that there is, by a hash of its key and of which
 * of the rows of that key it is. What describes a policy is measured on them as on cases without weights.
 */
export function thinnedRows(keys: readonly string[], weights: ArrayLike<number>): (row: number) => boolean {
  let largest = 0;
  for (let row = 0; row < weights.length; row++) largest = Math.max(largest, weights[row]!);
  const ranks = new Map<string, number>();
  const kept = Uint8Array.from(keys, (key, row) => {
    const rank = ranks.get(key) ?? 0;
    ranks.set(key, rank + 1);
    return Number(fractionOf(`thin\n${key}\n${rank}`) < weights[row]! / largest);
  });
  return (row) => kept[row] === 1;
}

/** Even over [0, 1). */
function fractionOf(text: string): number {
  return Number.parseInt(hash('sha256', text).slice(0, 12), 16) / 2 ** 48;
}
