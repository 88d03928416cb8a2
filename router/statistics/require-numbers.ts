import { PlimsollError } from '../errors.ts';

/** What the values must keep to. Both ends are included; without `min` and `max` infinities pass and NaN does not. */
export interface NumberRule {
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
