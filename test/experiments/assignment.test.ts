import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { armOf, canaryArms, placeOf, unitOf } from '../../router/experiments/index.ts';

const arm = (weight: number, i: number) => ({ name: `arm${i}`, profile: `p${i}`, weight });
const weights = fc
  .array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 2, maxLength: 6 })
  .map((parts) => {
    const sum = parts.reduce((total, one) => total + one, 0);
    return parts.map((one) => one / sum);
  });

describe('arms', () => {
  test('shares are the weights, within four standard errors', () => {
    fc.assert(
      fc.property(weights, fc.string({ minLength: 1, maxLength: 20 }), (shares, name) => {
        const arms = shares.map(arm);
        const n = 2_000;
        const counts = new Map<string, number>();
        for (let i = 0; i < n; i++) {
          const { name: own } = armOf(unitOf(name, 'session', '', `${i}`), arms);
          counts.set(own, (counts.get(own) ?? 0) + 1);
        }
        for (const [i, share] of shares.entries()) {
          const error = Math.sqrt((share * (1 - share)) / n);
          expect(Math.abs((counts.get(`arm${i}`) ?? 0) / n - share)).toBeLessThan(5 * error + 1e-9);
        }
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  test('the same unit has the same arm each time: nothing but names and weights decides', () => {
    fc.assert(
      fc.property(weights, fc.string(), fc.string(), (shares, name, session) => {
        const arms = shares.map(arm);
        const unit = unitOf(name, 'session', 'key', session);
        expect(unitOf(name, 'session', 'key', session)).toBe(unit);
        expect(armOf(unit, arms)).toBe(armOf(unit, arms));
        expect(placeOf(unit)).toBeGreaterThanOrEqual(0);
        expect(placeOf(unit)).toBeLessThan(1);
      }),
    );
  });

  test('this unit has had this place since the first version: a release that changes it would move conversations', () => {
    expect(unitOf('try', 'session', 'key', 'abc')).toBe('fb35b431121813fb');
  });

  test('whoever had the candidate of a canary has it at each later stage', () => {
    const canary = { profile: 'default', candidate: 'next' };
    const stages = [0.01, 0.05, 0.25, 1];
    fc.assert(
      fc.property(fc.string(), (session) => {
        const unit = unitOf('canary', 'session', '', session);
        const has = stages.map((share) => armOf(unit, canaryArms(canary, share)).profile === 'next');
        expect(has).toEqual([...has].sort());
        expect(has.at(-1)).toBe(true);
      }),
    );
  });

  test('one experiment says nothing of another', () => {
    const half = [arm(0.5, 0), arm(0.5, 1)];
    const same = Array.from({ length: 2_000 }, (_, i) => {
      const [a, b] = ['a', 'b'].map((name) => armOf(unitOf(name, 'session', '', `${i}`), half).name);
      return a === b;
    }).filter(Boolean).length;
    expect(Math.abs(same - 1_000)).toBeLessThan(120);
  });
});
