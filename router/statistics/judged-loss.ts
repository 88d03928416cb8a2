import { PlimsollError } from '../errors.ts';
import { requireDelta } from './input-checks.ts';
import { differenceBound, scaledMeanBound } from './mean-bound.ts';

/** Losses of cases that people labelled too: the one by the judge, and the one by people, case by case. */
export interface AuditedLosses {
  readonly judged: ArrayLike<number>;
  readonly human: ArrayLike<number>;
}

export interface JudgedLossBound {
  /** Upper bound of the mean loss as people see it, -1..1: `ofJudged + ofError`, at most 1; `peopleAlone` if every case was audited. */
  readonly upper: number;
  /** Upper bound of the mean judged loss, at delta / 2. */
  readonly ofJudged: number;
  /** Upper bound of the mean of human - judged, -2..2, at delta / 2. */
  readonly ofError: number;
  /** Upper bound of the mean loss from the audited cases alone, at delta. */
  readonly peopleAlone: number;
}

/** A mistake of the judge's turns a loss of -1 into 1 at most. */
const errorBound = scaledMeanBound('betting', { low: -2, high: 2 });

/**
 * Upper bound of a mean quality loss at 1 - delta, where a judge labelled N cases and people a random n of them too:
 *
 *   E[human] = E[judged] + E[human - judged] <= upper(judged, N, delta / 2) + upper(human - judged, n, delta / 2)
 *
 * by the union bound; each is a betting bound of bounded values. It holds whatever the judge's errors are. Prediction-powered inference has the
 * same two terms (Angelopoulos et al., Science 382, 2023); these bounds need no large n.
 *
 * @param judged -1..1, shape [N], losses by the judge of one policy that was fixed before, in an order that does not depend on them
 * @param audited n of the same cases, drawn at random
 * @param delta in (0, 1)
 * @throws PlimsollError `invalid-input`: no values, NaN, out of range, more audited than judged, unequal numbers
 */
export function judgedLossBound(
  judged: ArrayLike<number>,
  audited: AuditedLosses,
  delta: number,
): JudgedLossBound {
  requireDelta(delta);
  const n = audited.human.length;
  if (n !== audited.judged.length || n > judged.length) {
    throw new PlimsollError(
      'invalid-input',
      `There are ${judged.length} judged losses, and audited ${audited.judged.length} by the judge and ${n} by people: the audited ones are a part of all, with one of each.`,
    );
  }
  const errors = Float64Array.from(
    { length: n },
    (_, i) => (audited.human[i] ?? 0) - (audited.judged[i] ?? 0),
  );
  const peopleAlone = differenceBound.upper(audited.human, delta);
  const ofJudged = differenceBound.upper(judged, delta / 2);
  const ofError = errorBound.upper(errors, delta / 2);
  const upper = n === judged.length ? peopleAlone : Math.min(1, ofJudged + ofError);
  return { upper, ofJudged, ofError, peopleAlone };
}
