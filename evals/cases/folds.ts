import { PlimsollError } from '../../router/errors.ts';
import { requireSeed } from './require-split.ts';
import { type Keyed, keyFraction, type Unit, unitsOf } from './units.ts';

/**
 * The fold, 0 to k-1, of each case for cross-validation. Keys and groups stay whole; the folds' sizes differ by no more than
 * the largest unit. The answer depends on seed and cases, not on their order.
 *
 * Units go to the emptiest fold, largest first; units of one size in the order of their hash.
 *
 * @throws PlimsollError 'insufficient-data': fewer distinct questions than folds; 'invalid-input': k below 2
 */
export function foldsByKey(cases: readonly Keyed[], k: number, seed: number): Int32Array {
  requireSeed(seed);
  if (!Number.isInteger(k) || k < 2) {
    throw new PlimsollError('invalid-input', `Folds must be a whole number of at least 2; given: ${k}.`);
  }
  const units = unitsOf(cases);
  if (units.length < k) {
    throw new PlimsollError(
      'insufficient-data',
      `${k} folds need at least ${k} distinct questions; there are ${units.length}. Add cases or take fewer folds.`,
    );
  }
  return assignedFolds(inDealingOrder(units, seed), cases.length, k);
}

function inDealingOrder(units: readonly Unit[], seed: number): readonly Unit[] {
  const dealt = units.map((unit) => ({ unit, fraction: keyFraction(seed, unit.key) }));
  dealt.sort((a, b) => b.unit.members.length - a.unit.members.length || a.fraction - b.fraction);
  return dealt.map(({ unit }) => unit);
}

function assignedFolds(units: readonly Unit[], cases: number, k: number): Int32Array {
  const folds = new Int32Array(cases);
  const sizes = new Int32Array(k);
  for (const { members } of units) {
    const fold = sizes.indexOf(Math.min(...sizes));
    sizes[fold] += members.length;
    for (const index of members) folds[index] = fold;
  }
  return folds;
}
