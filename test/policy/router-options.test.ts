import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { choose, chooseRung, type Policy } from '../../router/policy/policy.ts';
import type { RouteOptions, Router } from '../../router/router.ts';
import { type TinyArtifact, tinyArtifact } from '../helpers/tiny-artifact.ts';
import { tinyConfig } from '../server/serving.ts';

const GATED = 0.3;
const BOTH = [0, 1];

let tiny: TinyArtifact;
let router: Router;
let ungated: Router;
beforeAll(async () => {
  tiny = await tinyArtifact();
  const { profiles } = configSchema.parse({
    profiles: { other: { ladder: { strong: 'another' } }, same: {} },
  });
  router = await createRouter(await tinyConfig({ config: { profiles } }));
  ungated = await createRouter(
    await tinyConfig({
      config: { allowUngated: true, policies: { thrifty: { threshold: 1, version: 1 } } },
    }),
  );
});
afterAll(() => Promise.all([router.close(), ungated.close()]));

test('a decision repeats itself: its rung is that of its scores, its threshold and the allowed rungs', async () => {
  const texts = fc.constantFrom(...tiny.easy.slice(0, 5), ...tiny.hard.slice(0, 5));
  const thresholds = fc.option(fc.double({ min: -1, max: 1, noNaN: true }), { nil: undefined });
  const allowed = fc.option(fc.subarray(BOTH, { minLength: 1 }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(texts, thresholds, allowed, async (prompt, threshold, allowedRungs) => {
      const options = {
        ...(threshold !== undefined && { threshold }),
        ...(allowedRungs && { allowedRungs }),
      };
      const decision = await ungated.route({ prompt }, options);
      const scores = [decision.scores!['cheap']!, decision.scores!['strong']!];
      expect(decision.threshold).toBe(threshold ?? GATED);
      const rung = chooseRung(scores, decision.threshold!, allowedRungs);
      const unrestricted = chooseRung(scores, decision.threshold!);
      expect(decision.candidate).toBe(['cheap', 'strong'][rung]);
      expect(decision.escalated).toBe(rung > 0);
      expect(decision.reason === 'requirements').toBe(rung !== unrestricted);
      const gated = (threshold ?? GATED) === GATED && rung >= unrestricted;
      expect(decision.verdict).toBe(gated ? 'PASS' : 'none');
      expect(decision.ungatedReason === null).toBe(gated);
    }),
    { numRuns: 200 },
  );
});

describe('why a decision is not PASS', () => {
  test.each([
    ['the gated policy', {}, 'PASS', null],
    ['always-strong', { policy: 'always-strong' }, 'PASS', null],
    ['a policy of the configuration', { policy: 'thrifty' }, 'none', 'ungated-policy'],
    ['always-cheap', { policy: 'always-cheap' }, 'none', 'ungated-policy'],
    ['another threshold', { threshold: 0.31 }, 'none', 'ungated-threshold'],
    ['the gated threshold', { threshold: GATED }, 'PASS', null],
    [
      'always-strong without the strong one',
      { policy: 'always-strong', allowedRungs: [0] },
      'none',
      'downgraded',
    ],
  ])('%s', async (_, options, verdict, ungatedReason) => {
    expect(await ungated.route({ prompt: tiny.easy[0]! }, options)).toMatchObject({ verdict, ungatedReason });
  });

  test('a profile is stale on its own', async () => {
    const prompt = tiny.hard[0]!;
    expect(router.profiles.get('other')).toMatchObject({ stale: true });
    expect(await router.route({ prompt }, { profile: 'other' })).toMatchObject({
      model: 'another',
      stale: true,
      verdict: 'stale',
      ungatedReason: 'other-models',
    });
    for (const options of [{}, { profile: 'same' }]) {
      expect(await router.route({ prompt }, options)).toMatchObject({ stale: false, verdict: 'PASS' });
    }
  });
});

describe('a turn that stays on its rung', () => {
  const of = async (prompt: string, options: RouteOptions) => {
    const { candidate, reason, verdict, ungatedReason } = await ungated.route({ prompt }, options);
    return [candidate, reason, verdict, ungatedReason];
  };

  test('a stronger one than the choice keeps the PASS, a cheaper one does not', async () => {
    const [easy, hard] = [tiny.easy[0]!, tiny.hard[0]!];
    expect(await of(easy, { pinnedRung: 0 })).toEqual(['cheap', 'within-threshold', 'PASS', null]);
    expect(await of(easy, { pinnedRung: 1 })).toEqual(['strong', 'same-turn', 'PASS', null]);
    expect(await of(hard, { pinnedRung: 1 })).toEqual(['strong', 'over-threshold', 'PASS', null]);
    expect(await of(hard, { pinnedRung: 0 })).toEqual(['cheap', 'same-turn', 'none', 'lower-turn']);
  });

  test('one that cannot take the request, and a fixed policy, leave no choice', async () => {
    const hard = tiny.hard[0]!;
    const excluded = await of(hard, { pinnedRung: 0, allowedRungs: [1] });
    expect(excluded).toEqual(['strong', 'over-threshold', 'PASS', null]);
    const fixed = await of(hard, { pinnedRung: 0, policy: 'always-strong' });
    expect(fixed).toEqual(['strong', 'fixed-policy', 'PASS', null]);
  });
});

test('in a cascade nobody judges the reply of a turn that stays: only the strongest rung keeps the promise', () => {
  const limits = { skip: 0.9, path: [{ accept: -1, skip: 0.9 }] };
  const policy: Policy = {
    kind: 'cascade',
    name: 'c',
    version: 1,
    threshold: 0.2,
    ...limits,
    middle: [limits],
  };
  const on = (pinned: number | undefined, probabilities = [0.5, 0.6, 0.7]) =>
    choose(policy, probabilities, {
      rungs: 3,
      allowed: undefined,
      requestedThreshold: undefined,
      checks: [true, true],
      pinned,
    });
  expect(on(undefined)).toMatchObject({ rung: 0, reason: 'cascade-check', checked: [0, 1] });
  expect(on(0)).toEqual(on(undefined));
  expect(on(1)).toMatchObject({ rung: 1, unrestricted: 2, reason: 'same-turn' });
  expect(on(2)).toMatchObject({ rung: 2, unrestricted: 2, reason: 'same-turn' });
  expect([on(1).checked, on(2).checked]).toEqual([undefined, undefined]);
});

describe('options that are wrong', () => {
  test.each([
    ['a threshold that was not gated', { threshold: 0.2 }, 'invalid-input', 'threshold'],
    ['a threshold out of range', { threshold: 1.1 }, 'invalid-input', 'threshold'],
    ['no number', { threshold: Number.NaN }, 'invalid-input', 'threshold'],
    [
      'a threshold of a fixed policy',
      { policy: 'always-strong', threshold: GATED },
      'invalid-input',
      'threshold',
    ],
    ['no rung', { allowedRungs: [] }, 'invalid-input', 'allowedRungs'],
    ['a rung that there is not', { allowedRungs: [0, 2] }, 'invalid-input', 'allowedRungs'],
    ['a negative rung', { allowedRungs: [-1] }, 'invalid-input', 'allowedRungs'],
    ['half a rung', { allowedRungs: [0.5] }, 'invalid-input', 'allowedRungs'],
    ['a rung twice', { allowedRungs: [1, 1] }, 'invalid-input', 'allowedRungs'],
    ['rungs out of order', { allowedRungs: [1, 0] }, 'invalid-input', 'allowedRungs'],
    ['a pinned rung that there is not', { pinnedRung: 2 }, 'invalid-input', 'pinnedRung'],
    ['no such policy', { policy: 'constructor' }, 'not-found', 'policy'],
    ['no such profile', { profile: '__proto__' }, 'not-found', 'profile'],
  ])('%s', async (_, options, code, field) => {
    const error = { code, place: { field } };
    await expect(router.route({ prompt: 'Hello' }, options)).rejects.toMatchObject(error);
    expect(() => router.check(options)).toThrow(expect.objectContaining(error));
  });
});

describe('without text of a person', () => {
  const tools = [{ role: 'tool', tool_call_id: 'a', content: 'sunny' }];

  test('messages go to the strongest rung, and there is nothing to explain', async () => {
    const strongest = { candidate: 'strong', reason: 'no-text', scores: null, verdict: 'PASS' };
    expect(await router.route({ messages: tools })).toMatchObject(strongest);
    expect(await router.explain({ messages: tools })).toMatchObject({
      decision: strongest,
      explanation: null,
    });
    expect(await router.route({ messages: tools }, { allowedRungs: [0] })).toMatchObject({
      candidate: 'cheap',
      reason: 'no-text',
      verdict: 'none',
    });
    expect(await router.route({ messages: tools }, { policy: 'always-strong' })).toMatchObject({
      reason: 'fixed-policy',
    });
  });

  test.each([[{ prompt: '' }], [{ prompt: ' \n' }], [{ messages: [] }]])('%j is refused', async (input) => {
    await expect(router.route(input)).rejects.toMatchObject({ code: 'invalid-input' });
  });
});
