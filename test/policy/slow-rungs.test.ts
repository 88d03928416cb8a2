import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Choosing, choose, predictedLoss } from '../../router/policy/policy.ts';

const RUNGS = 4;
const POLICY = { kind: 'threshold', name: 'own', version: 1, threshold: 0.2 } as const;

const arbitrary = fc.record({
  probabilities: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
    minLength: RUNGS,
    maxLength: RUNGS,
  }),
  allowed: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
  slow: fc.subarray([0, 1, 2, 3]),
  mayLower: fc.boolean(),
});

const among = (allowed: readonly number[], more: Partial<Choosing> = {}): Choosing => ({
  rungs: RUNGS,
  allowed,
  requestedThreshold: undefined,
  ...more,
});

test('a slow choice moves up to a quick rung that the threshold lets through, else stays, else goes down only if it may', () => {
  fc.assert(
    fc.property(arbitrary, ({ probabilities, allowed, slow, mayLower }) => {
      const usual = choose(POLICY, probabilities, among(allowed));
      const chosen = choose(POLICY, probabilities, among(allowed, { slow: { rungs: slow, mayLower } }));
      expect(chosen.unrestricted).toBe(usual.unrestricted);
      expect(allowed).toContain(chosen.rung);
      if (chosen.rung === usual.rung) {
        expect(chosen).toEqual(usual);
        return;
      }
      expect(chosen.reason).toBe('latency');
      expect(slow).toContain(usual.rung);
      expect(slow).not.toContain(chosen.rung);
      const quickAbove = allowed.filter(
        (rung) =>
          rung > usual.rung &&
          !slow.includes(rung) &&
          (rung === RUNGS - 1 || predictedLoss(probabilities, rung) <= POLICY.threshold),
      );
      if (chosen.rung > usual.rung) expect(chosen.rung).toBe(quickAbove[0]);
      else expect([mayLower, quickAbove]).toEqual([true, []]);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('a slow choice never stays where a quick stronger rung is good enough', () => {
  fc.assert(
    fc.property(arbitrary, ({ probabilities, slow }) => {
      fc.pre(!slow.includes(RUNGS - 1));
      const slowRungs = { rungs: slow, mayLower: false };
      const { rung } = choose(POLICY, probabilities, {
        rungs: RUNGS,
        allowed: undefined,
        requestedThreshold: undefined,
        slow: slowRungs,
      });
      expect(slow).not.toContain(rung);
    }),
    { seed: 1 },
  );
});

test('results of tools stay on the rung of their turn, however slow', () => {
  const slow = { rungs: [0], mayLower: true };
  const choice = choose(POLICY, [0.9, 0.9, 0.9, 0.9], among([0, 1, 2, 3], { slow, pinned: 0 }));
  expect(choice).toMatchObject({ rung: 0, reason: 'within-threshold' });
});

test('a cascade asks no slow rung for a reply to judge', () => {
  const cascade = {
    kind: 'cascade',
    name: 'own',
    version: 1,
    threshold: 0.2,
    skip: 1,
    path: [{ accept: -1, skip: 1 }],
  } as const;
  const checks = [true, false];
  const base = { rungs: 2, allowed: undefined, requestedThreshold: undefined, checks };
  expect(choose(cascade, [0.9, 0.9], base)).toMatchObject({ reason: 'cascade-check', rung: 0 });
  const slow = { rungs: [0], mayLower: false };
  expect(choose(cascade, [0.9, 0.9], { ...base, slow })).toMatchObject({
    reason: 'cascade-unchecked',
    rung: 1,
    unrestricted: 1,
  });
});
