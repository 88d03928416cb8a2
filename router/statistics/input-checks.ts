import { PlimsollError } from '../errors.ts';

/** What the values must keep to. Both ends are included; without `min` and `max` infinities pass and NaN does not. */
interface NumberRule {
  /** The number of values that is expected, for arrays that are paired by case. */
  readonly length?: number;
  readonly min?: number;
  readonly max?: number;
}

/** The rule for qualities, labels and probabilities. */
export const unitInterval = { min: 0, max: 1 } as const;

/**
 * Stops a measurement whose input cannot be measured. Returns nothing: what passes is used as it is. O(n).
 *
 * @param name what the values are called in the message
 * @param values one number a case; a single setting is passed as an array of one
 * @throws PlimsollError `invalid-input`: no values, another number of values than `rule.length`, NaN, a value outside
 *   [min, max]
 * @example requireNumbers('labels', [0, 2], unitInterval); // throws: labels[1] is 2
 */
export function requireNumbers(name: string, values: ArrayLike<number>, rule: NumberRule = {}): void {
  const { length, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = rule;
  if (values.length === 0) throw new PlimsollError('invalid-input', `${name} is empty: nothing to measure.`);
  if (length !== undefined && values.length !== length) {
    const message = `${name} has ${values.length} values where ${length} are expected: one for each case.`;
    throw new PlimsollError('invalid-input', message);
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === 'number' && value >= min && value <= max) continue;
    const where = values.length === 1 ? name : `${name}[${i}]`;
    throw new PlimsollError(
      'invalid-input',
      `${where} is ${value}: it must be a number from ${min} to ${max}.`,
    );
  }
}

/**
 * Stops a bound whose error probability cannot be kept.
 *
 * @throws PlimsollError `invalid-input`: delta is not strictly between 0 and 1
 */
export function requireDelta(delta: number): void {
  if (delta > 0 && delta < 1) return;
  throw new PlimsollError('invalid-input', `delta is ${delta}: it must lie between 0 and 1, without either.`);
}

/** What decisions must keep to. */
interface RungRule {
  /** The number of decisions that is expected, for arrays that are paired by case. */
  readonly length?: number;
  /** The number of rungs of the ladder, if it is known: every rung must be below it. */
  readonly rungCount?: number;
}

/**
 * Stops a measurement over what are no rungs of a ladder: 0 is the cheapest candidate, 1 the next. O(n).
 *
 * @param name what the rungs are called in the message
 * @param rungs the rung that routing chose for each case
 * @throws PlimsollError `invalid-input`: no cases, another number than `rule.length`, NaN, a rung that is negative, not whole or not
 *   below `rule.rungCount`
 * @example requireRungs('rungs', [0, 2], { rungCount: 2 }); // throws: rungs[1] is 2
 */
export function requireRungs(name: string, rungs: ArrayLike<number>, rule: RungRule = {}): void {
  const { length, rungCount = Number.MAX_SAFE_INTEGER } = rule;
  requireNumbers(name, rungs, { min: 0, max: rungCount - 1, ...(length !== undefined && { length }) });
  for (let i = 0; i < rungs.length; i++) {
    if (Number.isInteger(rungs[i])) continue;
    const message = `${name}[${i}] is ${rungs[i]}: a rung is a whole number, 0 the cheapest candidate.`;
    throw new PlimsollError('invalid-input', message);
  }
}

/** The quality that each candidate of a ladder reached on the same cases, cheapest first: [rung][case], each 0..1. */
export type LadderQuality = readonly ArrayLike<number>[];

/**
 * Stops a measurement over qualities that are not those of one ladder on one set of cases. O(rungs * n).
 *
 * @throws PlimsollError `invalid-input`: fewer than two rungs, no cases, rungs with different numbers of cases, NaN, a quality outside 0..1
 * @example requireLadderQuality([[0, 1], [1]]); // throws: qualityByRung[1] has 1 values where 2 are expected
 */
export function requireLadderQuality(qualityByRung: LadderQuality): void {
  if (qualityByRung.length < 2) {
    const message = `qualityByRung has ${qualityByRung.length} rungs: a ladder has at least two, cheapest first.`;
    throw new PlimsollError('invalid-input', message);
  }
  const length = qualityByRung[0]!.length;
  qualityByRung.forEach((quality, rung) => {
    requireNumbers(`qualityByRung[${rung}]`, quality, { ...unitInterval, length });
  });
}

/**
 * The costs of all cases, or undefined if that of a single one is not known: a sum over the known ones alone would be
 * the cost of other cases than those whose quality is compared. O(n).
 *
 * @param name what the costs are called in a message
 * @param costsUsd one a case, US dollars, undefined if unknown
 * @param length the number of cases
 * @returns shape [n], or undefined
 * @throws PlimsollError `invalid-input`: no cases, another number of costs than `length`, a cost that is NaN, negative or infinite
 * @example knownCosts('costsUsd', [0.01, undefined], 2); // undefined
 */
export function knownCosts(
  name: string,
  costsUsd: ArrayLike<number | undefined>,
  length: number,
): Float64Array | undefined {
  if (costsUsd.length === 0 || costsUsd.length !== length) {
    const message = `${name} has ${costsUsd.length} values where ${length} are expected: one for each of at least one case.`;
    throw new PlimsollError('invalid-input', message);
  }
  const known = new Float64Array(length);
  let unknown = 0;
  for (let i = 0; i < length; i++) {
    const costUsd = costsUsd[i];
    if (costUsd === undefined) {
      unknown++;
      continue;
    }
    requireNumbers(`${name}[${i}]`, [costUsd], { min: 0, max: Number.MAX_VALUE });
    known[i] = costUsd;
  }
  return unknown === 0 ? known : undefined;
}
