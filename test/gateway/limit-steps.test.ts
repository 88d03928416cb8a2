import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AT_LIMIT, type LimitRefusal, type RequestLimits } from '../../router/access/index.ts';
import type { CatalogModel, Deployment } from '../../router/catalog/index.ts';
import { candidatesFor } from '../../router/fallback/index.ts';
import { modelsOf, preferringOthers, stepAtLimit } from '../../router/gateway/limit-steps.ts';
import type { Plan } from '../../router/gateway/plan.ts';
import type { Selection } from '../../router/gateway/selection.ts';
import { model } from '../fallback/fallback-script.ts';

const LADDER = ['p/cheap', 'q/middle', 'p/strong'].map((name) => model(name));
const EQUALS = Object.fromEntries(
  LADDER.map(({ name }) => [name, [model(name.replace('/', '2/')), model(name.replace('/', '3/'))]]),
);
const RUNG_OF = new Map(
  LADDER.flatMap(({ name }, rung) =>
    [name, ...EQUALS[name]!.map((one) => one.name)].map((one) => [one, rung]),
  ),
);
const nameOf = ({ name }: CatalogModel) => name;

/** A direct plan from a rung, with cheaper candidates at the end, or a cascade whose first look is at that rung. */
function planFrom(
  rung: number,
  kind: 'direct' | 'cascade',
): { readonly plan: Plan; readonly selection: Selection } {
  const fits = () => true;
  const candidates = candidatesFor({ rung, ladder: LADDER, fallbacks: EQUALS, fits, allowDowngrade: true });
  const cheaper = candidates.filter(({ name }) => RUNG_OF.get(name)! < rung);
  const selected = candidates[0]!;
  const selection = { selected, ladder: LADDER, chosen: { rung }, cheaper } as unknown as Selection;
  if (kind === 'direct') return { plan: { kind, candidates, deadlineMs: 1 }, selection };
  const at = (one: number) => candidates.filter(({ name }) => RUNG_OF.get(name) === one);
  const checks = LADDER.slice(rung, -1).map((_, i) => ({
    check: { rung: rung + i } as never,
    candidates: at(rung + i),
  }));
  return { plan: { kind, checks, rest: at(2), deadlineMs: 1, maxWaitMs: 1 }, selection };
}

const refusal = (names: object, atLimit: (typeof AT_LIMIT)[number]) =>
  ({
    limit: {
      names,
      windows: [],
      scope: 's',
      whenFull: { atLimit, preferOthersAt: 0.9, maxWaitMs: 1, maxWaiting: 1 },
    },
    neverFits: false,
  }) as unknown as LimitRefusal;

const limits = fc.oneof(
  fc.constantFrom(...RUNG_OF.keys()).map((name) => ({ model: name })),
  fc.constantFrom('p', 'q', 'p2', 'q2', 'p3').map((provider) => ({ provider })),
);

test('what is done at a limit never goes down, and is what its words say', () => {
  const plans = fc.oneof(
    fc.record({ rung: fc.integer({ min: 0, max: 2 }), kind: fc.constant('direct' as const) }),
    fc.record({ rung: fc.integer({ min: 0, max: 1 }), kind: fc.constant('cascade' as const) }),
  );
  fc.assert(
    fc.property(plans, limits, fc.constantFrom(...AT_LIMIT), ({ rung, kind }, names, atLimit) => {
      const { plan, selection } = planFrom(rung, kind);
      const isFull = ({ name, provider }: CatalogModel) =>
        'model' in names ? name === names.model : provider.name === names.provider;
      const step = stepAtLimit(plan, refusal(names, atLimit), selection);
      const choice = modelsOf(plan)[0]!;
      if (step === 'wait') expect(atLimit).toBe('wait');
      if (step === 'wait' || step === 'refuse') return;
      const left = modelsOf(step.plan);
      expect(left.some(isFull)).toBe(false);
      expect(left.map(nameOf)).toEqual(
        modelsOf(plan)
          .map(nameOf)
          .filter((name) => left.some((one) => one.name === name)),
      );
      expect([...left, ...step.leftOut].map(nameOf).sort()).toEqual(modelsOf(plan).map(nameOf).sort());
      const isCheaper = ({ name }: CatalogModel) => RUNG_OF.get(name)! < rung;
      const mayGoDown = modelsOf(plan).filter(isFull).every(isCheaper);
      if (!isFull(choice)) {
        expect(left).toEqual(modelsOf(plan).filter((one) => !isFull(one) && (mayGoDown || !isCheaper(one))));
        return;
      }
      const rungs = left.map(({ name }) => RUNG_OF.get(name)!);
      expect(Math.min(...rungs)).toBeGreaterThanOrEqual(rung);
      expect(['next', 'equals', 'stronger']).toContain(atLimit);
      if (atLimit === 'equals') expect(rungs[0]).toBe(rung);
      if (atLimit === 'stronger') expect(Math.min(...rungs)).toBeGreaterThan(rung);
    }),
  );
});

test('a deployment without room is left out of its model, which stays while it has another', () => {
  const base = model('pool/gpt');
  const deployments = ['p', 'q'].map(
    (name): Deployment => ({
      ...base,
      provider: { ...base.provider, name },
      weight: 1,
      deployment: `${name}/gpt`,
    }),
  );
  const pool = { ...base, deployments };
  const plan: Plan = { kind: 'direct', candidates: [pool, LADDER[2]!], deadlineMs: 1 };
  const selection = {
    selected: pool,
    ladder: [pool, LADDER[2]!],
    chosen: { rung: 0 },
  } as unknown as Selection;
  const first = stepAtLimit(plan, refusal({ deployment: 'p/gpt' }, 'refuse'), selection);
  expect(first).toMatchObject({
    plan: { candidates: [{ deployments: [{ deployment: 'q/gpt' }] }, {}] },
    leftOut: [{ name: 'pool/gpt', deployment: 'p/gpt' }],
  });
  if (typeof first === 'string') throw new Error(first);
  expect(stepAtLimit(first.plan, refusal({ deployment: 'q/gpt' }, 'refuse'), selection)).toBe('refuse');
  expect(stepAtLimit(first.plan, refusal({ deployment: 'q/gpt' }, 'next'), selection)).toMatchObject({
    plan: { candidates: [LADDER[2]] },
    leftOut: [{ name: 'pool/gpt', deployment: 'q/gpt' }],
  });
});

test('equals with room go first within their rung, and the rungs stay where they are', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1 }),
      fc.subarray([...RUNG_OF.keys()]),
      fc.boolean(),
      (rung, near, isDirect) => {
        const { plan, selection } = planFrom(rung, isDirect ? 'direct' : 'cascade');
        const pressed = { isNearLimit: ({ model: name }) => near.includes(name) } as RequestLimits;
        const before = modelsOf(plan).map(nameOf);
        const after = modelsOf(preferringOthers(plan, pressed, selection, undefined)).map(nameOf);
        expect([...after].sort()).toEqual([...before].sort());
        expect(after.map((name) => RUNG_OF.get(name))).toEqual(before.map((name) => RUNG_OF.get(name)));
        const first = after.filter((name) => RUNG_OF.get(name) === rung).map((name) => near.includes(name));
        expect(first).toEqual([...first].sort((a, b) => Number(a) - Number(b)));
      },
    ),
  );
});
