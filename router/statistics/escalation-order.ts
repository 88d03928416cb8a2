import { requireNumbers } from './require-numbers.ts';

/** The order in which cases are escalated, and where in it one score ends and the next begins. */
export interface EscalationOrder {
  /** Indexes of cases, highest score first. Shape [n]. */
  readonly order: Uint32Array;
  /**
   * For each run of equal scores the position in `order` just after it, rising; the last is n. Shape [number of distinct scores].
   * Nothing separates the cases inside a run: their order in `order` means nothing and no metric may depend on it.
   */
  readonly tieEnds: Uint32Array;
}

/**
 * Sorts cases by score, highest first, and marks the ties. O(n log n).
 *
 * @param scores one a case; for a router the predicted loss of the cheap candidate. Infinities are allowed (a rule that
 *   always or never escalates), 0 and -0 are tied
 * @throws PlimsollError `invalid-input`: no scores, NaN
 * @example escalationOrder([0.2, 0.9, 0.2]); // order 1, 0, 2; tieEnds 1, 3
 */
export function escalationOrder(scores: ArrayLike<number>): EscalationOrder {
  requireNumbers('scores', scores);
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i);
  order.sort((a, b) => (scores[a] > scores[b] ? -1 : scores[a] < scores[b] ? 1 : 0));
  return { order, tieEnds: endsOfTies(scores, order) };
}

function endsOfTies(scores: ArrayLike<number>, order: Uint32Array): Uint32Array {
  const ends: number[] = [];
  for (let position = 1; position <= order.length; position++) {
    const last = position === order.length;
    if (last || scores[order[position]] !== scores[order[position - 1]]) ends.push(position);
  }
  return Uint32Array.from(ends);
}
