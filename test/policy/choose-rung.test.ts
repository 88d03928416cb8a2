import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALWAYS_CHEAP,
  ALWAYS_STRONG,
  type Choosing,
  choose,
  chooseRung,
  type Policy,
  predictedLoss,
} from '../../router/policy/policy.ts';

const probability = fc.double({ min: 0, max: 1, noNaN: true });
const threshold = fc.double({ min: -1, max: 1, noNaN: true });

describe.each([2, 4])('chooseRung among %d candidates', (rungs) => {
  const probabilities = fc.array(probability, { minLength: rungs, maxLength: rungs });

  it('takes the cheapest within the threshold, else the strongest', () => {
    fc.assert(
      fc.property(probabilities, threshold, (p, limit) => {
        const rung = chooseRung(p, limit);
        const within = p.map((own) => p.at(-1)! - own <= limit);
        for (let cheaper = 0; cheaper < rung; cheaper++) expect(within[cheaper]).toBe(false);
        expect(rung === rungs - 1 || within[rung]).toBe(true);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('never takes a stronger one for a looser threshold', () => {
    fc.assert(
      fc.property(probabilities, threshold, threshold, (p, a, b) => {
        expect(chooseRung(p, Math.max(a, b))).toBeLessThanOrEqual(chooseRung(p, Math.min(a, b)));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('takes the cheapest at threshold 1, and the strongest below every predicted loss', () => {
    fc.assert(
      fc.property(probabilities, (p) => {
        expect(chooseRung(p, 1)).toBe(0);
        expect(chooseRung(p, -1.01)).toBe(rungs - 1);
      }),
      { seed: 1 },
    );
  });
});

describe('chooseRung', () => {
  it('takes the cheaper one on a tie with the threshold', () => {
    expect(chooseRung([0.5, 0.75], 0.25)).toBe(0);
    expect(chooseRung([0.5, 0.75], 0.2499)).toBe(1);
  });

  it('takes the cheapest of equals', () => {
    expect(chooseRung([0.1, 0.7, 0.7, 0.7], 0)).toBe(1);
    expect(chooseRung([0.7, 0.7, 0.7, 0.7], 0)).toBe(0);
  });

  it('goes by the candidates themselves where probabilities are not in order', () => {
    expect(chooseRung([0.2, 0.9, 0.3, 0.8], 0.1)).toBe(1);
    expect(chooseRung([0.9, 0.1, 0.1, 0.8], 0)).toBe(0);
    expect(chooseRung([0.9, 0.8], -0.2)).toBe(1); // the cheap one must be better by more than it is
  });

  it('takes the strongest where a score is no number', () => {
    expect(chooseRung([Number.NaN, 0.5], 1)).toBe(1);
  });
});

describe('predictedLoss', () => {
  it('is the strongest minus the own probability', () => {
    expect(predictedLoss([0.25, 0.5, 0.75], 0)).toBe(0.5);
    expect(predictedLoss([0.25, 0.5, 0.75], 1)).toBe(0.25);
    expect(predictedLoss([0.25, 0.5, 0.75], 2)).toBe(0);
    expect(predictedLoss([0.75, 0.25], 0)).toBe(-0.5);
  });
});

describe.each([2, 4])('chooseRung among some of %d candidates', (rungs) => {
  const probabilities = fc.array(probability, { minLength: rungs, maxLength: rungs });
  const allowed = fc.subarray(
    Array.from({ length: rungs }, (_, rung) => rung),
    { minLength: 1 },
  );

  it('takes the cheapest allowed one within the threshold, else the strongest allowed one', () => {
    fc.assert(
      fc.property(probabilities, threshold, allowed, (p, limit, some) => {
        const rung = chooseRung(p, limit, some);
        const within = some.filter((one) => p.at(-1)! - p[one]! <= limit);
        expect(rung).toBe(within[0] ?? some.at(-1));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('changes nothing if the unrestricted choice is allowed', () => {
    fc.assert(
      fc.property(probabilities, threshold, allowed, (p, limit, some) => {
        const unrestricted = chooseRung(p, limit);
        if (some.includes(unrestricted)) expect(chooseRung(p, limit, some)).toBe(unrestricted);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('a choice', () => {
  const policy = (limit: number): Policy => ({
    kind: 'threshold',
    name: 'default',
    version: 1,
    threshold: limit,
  });
  const among = (rungs: number, changes: Partial<Choosing> = {}): Choosing => ({
    rungs,
    allowed: undefined,
    requestedThreshold: undefined,
    ...changes,
  });

  it('says the loss of the cheapest, the threshold and why', () => {
    expect(choose(policy(0.25), [0.5, 0.75], among(2))).toEqual({
      rung: 0,
      unrestricted: 0,
      reason: 'within-threshold',
      predictedLoss: 0.25,
      threshold: 0.25,
    });
    expect(choose(policy(0.25), [0, 0.5, 0.75], among(3))).toEqual({
      rung: 1,
      unrestricted: 1,
      reason: 'over-threshold',
      predictedLoss: 0.75,
      threshold: 0.25,
    });
  });

  it('is by the requested threshold, and says that one', () => {
    const requested = (requestedThreshold: number) =>
      choose(policy(0.25), [0.5, 0.75], among(2, { requestedThreshold }));
    expect(requested(0.2)).toMatchObject({ rung: 1, reason: 'requested-threshold', threshold: 0.2 });
    expect(requested(0.3)).toMatchObject({ rung: 0, reason: 'requested-threshold', threshold: 0.3 });
    expect(requested(0.25)).toMatchObject({ rung: 0, reason: 'within-threshold', threshold: 0.25 });
  });

  it.each<[string, number[], number[], number, number, string]>([
    ['easy, the cheap one cannot', [0.9, 0.9, 0.9], [1, 2], 0, 1, 'requirements'],
    ['easy, only the strong one can', [0.9, 0.9, 0.9], [2], 0, 2, 'requirements'],
    ['easy, the next one up is not good enough', [0.9, 0.1, 0.9], [1, 2], 0, 2, 'requirements'],
    ['easy, the cheap one can', [0.9, 0.9, 0.9], [0], 0, 0, 'within-threshold'],
    ['hard, the cheap one cannot', [0.1, 0.1, 0.9], [1, 2], 2, 2, 'over-threshold'],
    ['hard, the strong one cannot', [0.1, 0.1, 0.9], [0, 1], 2, 1, 'requirements'],
  ])('among the rungs that can: %s', (_, probabilities, allowed, unrestricted, rung, reason) => {
    expect(choose(policy(0.25), probabilities, among(3, { allowed }))).toMatchObject({
      rung,
      unrestricted,
      reason,
    });
  });

  it('is the strongest that is allowed if nothing was scored', () => {
    expect(choose(policy(0.25), 'no-text', among(3))).toMatchObject({ rung: 2, reason: 'no-text' });
    const allowed = [0, 1];
    expect(choose(policy(0.25), 'no-text', among(3, { allowed }))).toMatchObject({
      rung: 1,
      reason: 'no-text',
      predictedLoss: null,
    });
    const failed = (changes = {}) => choose(policy(0.25), 'classifier-failed', among(3, changes));
    expect(failed()).toMatchObject({ rung: 2, reason: 'classifier-failed' });
    expect(failed({ allowed })).toMatchObject({ rung: 1, unrestricted: 2, reason: 'requirements' });
  });

  it('asks no classifier if the policy is fixed', () => {
    const why = { reason: 'fixed-policy', predictedLoss: null, threshold: null };
    expect(choose(ALWAYS_CHEAP, 'no-text', among(4))).toEqual({ rung: 0, unrestricted: 0, ...why });
    expect(choose(ALWAYS_STRONG, 'no-text', among(4))).toEqual({ rung: 3, unrestricted: 3, ...why });
    const allowed = [1, 2];
    expect(choose(ALWAYS_CHEAP, 'no-text', among(4, { allowed }))).toMatchObject({ rung: 1 });
    expect(choose(ALWAYS_STRONG, 'no-text', among(4, { allowed }))).toMatchObject({
      rung: 2,
      reason: 'requirements',
    });
  });
});

describe('a choice in a cascade', () => {
  const path = [
    { accept: -0.5, skip: 0.1 },
    { accept: 0.2, skip: 0.4 },
  ];
  const policy: Policy = { kind: 'cascade', name: 'default', version: 1, threshold: 0.2, skip: 0.4, path };
  const among = (changes: Partial<Choosing> = {}): Choosing => ({
    rungs: 2,
    allowed: undefined,
    requestedThreshold: undefined,
    checks: [true],
    ...changes,
  });

  it.each<[string, number[], Partial<Choosing>, number, string]>([
    ['the reply is worth a look', [0.5, 0.75], {}, 0, 'cascade-check'],
    ['up to the limit', [0.5, 0.9], {}, 0, 'cascade-check'],
    ['above it the prompt alone decides', [0.5, 1], {}, 1, 'cascade-skipped'],
    ['nobody checks', [0.5, 0.5], { checks: [false] }, 1, 'cascade-unchecked'],
    ['nobody checks, nor would it be worth it', [0.25, 1], { checks: [] }, 1, 'cascade-skipped'],
    ['a lower accept level has a lower limit', [0.5, 0.75], { requestedThreshold: 0 }, 1, 'cascade-skipped'],
    ['the cheap model cannot take it', [0.5, 0.5], { allowed: [1] }, 1, 'cascade-unchecked'],
  ])('%s', (_, probabilities, changes, rung, reason) => {
    const chosen = choose(policy, probabilities, among(changes));
    expect(chosen).toMatchObject({ rung, reason });
    expect(chosen.unrestricted).toBeLessThanOrEqual(chosen.rung); // nothing is lost
  });

  it('is a downgrade if the strongest candidate cannot take the request: its reply could not be called for', () => {
    const chosen = choose(policy, [0.5, 0.5], among({ allowed: [0] }));
    expect(chosen).toMatchObject({ rung: 0, unrestricted: 1, reason: 'requirements' });
  });

  describe('of three rungs', () => {
    const middle = [{ skip: 0.3, path: [{ accept: -1, skip: 0.3 }] }];
    const three: Policy = { ...policy, middle };
    const all = { rungs: 3, checks: [true, true] };
    it.each<[string, number[], Partial<Choosing>, number, string, number[] | undefined]>([
      ['both are worth a call', [0.5, 0.6, 0.75], {}, 0, 'cascade-check', [0, 1]],
      ['the middle one is not', [0.5, 0.25, 0.75], {}, 0, 'cascade-check', [0]],
      ['the cheapest one is not', [0.125, 0.6, 0.75], {}, 1, 'cascade-check', [1]],
      ['none is', [0.125, 0.25, 0.75], {}, 2, 'cascade-skipped', undefined],
      [
        'nobody can judge the middle one',
        [0.5, 0.6, 0.75],
        { checks: [true, false] },
        0,
        'cascade-check',
        [0],
      ],
      [
        'nor the cheapest one',
        [0.5, 0.6, 0.75],
        { checks: [false, true] },
        2,
        'cascade-unchecked',
        undefined,
      ],
      ['the middle one cannot take it', [0.5, 0.6, 0.75], { allowed: [0, 2] }, 0, 'cascade-check', [0]],
      ['nor the cheapest one', [0.5, 0.6, 0.75], { allowed: [1, 2] }, 2, 'cascade-unchecked', undefined],
      ['the strongest one cannot', [0.5, 0.6, 0.75], { allowed: [0, 1] }, 1, 'requirements', undefined],
    ])('%s', (_, probabilities, changes, rung, reason, checked) => {
      const chosen = choose(three, probabilities, among({ ...all, ...changes }));
      expect(chosen).toMatchObject({ rung, reason });
      expect(chosen.checked).toEqual(checked);
    });
  });

  it.each(['no-text', 'unreadable', 'classifier-failed'] as const)('%s goes to the strongest', (why) => {
    expect(choose(policy, why, among())).toMatchObject({ rung: 1, reason: why, predictedLoss: null });
  });
});
