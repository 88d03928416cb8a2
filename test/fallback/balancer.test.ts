import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Balance, Deployment } from '../../router/catalog/index.ts';
import { createBalancer, type DeploymentUse, rendezvousOrder } from '../../router/fallback/balancer.ts';
import { callWith, model } from './fallback-script.ts';

/** Deployments d0, d1 … of one model, with these weights. */
function deployed(weights: readonly number[], balance: Balance = 'least_busy') {
  const base = model('pool/gpt');
  const deployments = weights.map((weight, i): Deployment => ({ ...base, weight, deployment: `d${i}/gpt` }));
  return { ...base, deployments, balance };
}

const use = (wanted: Partial<DeploymentUse> = {}): DeploymentUse => ({ onReply: () => {}, ...wanted });
const someWeights = fc
  .array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 6 })
  .filter((weights) => weights.some((weight) => weight > 0));
const everyMayTry = () => true;

function orderOf(
  balancer: ReturnType<typeof createBalancer>,
  pool: ReturnType<typeof deployed>,
  wanted?: Partial<DeploymentUse>,
  mayTry: (place: Deployment) => boolean = everyMayTry,
) {
  const { deployments } = pool;
  return balancer.order({ model: pool, deployments, call: callWith(), use: use(wanted), mayTry });
}

describe('balance', () => {
  it('by weights is exact over each round', () => {
    fc.assert(
      fc.property(someWeights, fc.integer({ min: 1, max: 5 }), (weights, rounds) => {
        const pool = deployed(weights, 'weights');
        const balancer = createBalancer();
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const counts = weights.map(() => 0);
        for (let i = 0; i < rounds * total; i++) {
          counts[pool.deployments.indexOf(orderOf(balancer, pool)[0]!)]!++;
        }
        expect(counts).toEqual(weights.map((weight) => weight * rounds));
      }),
    );
  });

  it('least_busy calls none that has more at work for its weight than another, in any order of starts and ends', () => {
    const events = fc.array(fc.oneof(fc.constant('start' as const), fc.nat({ max: 40 })), { maxLength: 80 });
    fc.assert(
      fc.property(someWeights, events, (weights, course) => {
        const pool = deployed(weights);
        const balancer = createBalancer();
        const atWork: (() => void)[] = [];
        const load = ({ weight, deployment }: Deployment) =>
          (balancer.atWork().get(`pool/gpt ${deployment}`) ?? 0) / weight;
        for (const event of course) {
          if (event !== 'start') {
            atWork.splice(event, 1)[0]?.();
            continue;
          }
          const [chosen] = orderOf(balancer, pool);
          const least = Math.min(...pool.deployments.filter(({ weight }) => weight > 0).map(load));
          expect(load(chosen!)).toBe(least);
          atWork.push(balancer.enter(chosen!));
        }
        for (const leave of [...atWork, ...atWork]) leave();
        expect(balancer.atWork().size).toBe(0);
      }),
    );
  });

  it('has each deployment once: those whose breaker is open last, before them those without a weight', () => {
    const balances = fc.constantFrom<Balance>('least_busy', 'weights', 'remaining_quota');
    const affinity = fc.option(fc.string(), { nil: undefined });
    fc.assert(
      fc.property(
        someWeights,
        balances,
        affinity,
        fc.nat(),
        fc.nat(),
        (weights, balance, session, open, near) => {
          const pool = deployed(weights, balance);
          const isOpen = ({ deployment }: Deployment) => ((open >> Number(deployment[1])) & 1) === 1;
          const isNear = ({ deployment = '' }: { deployment?: string }) =>
            ((near >> Number(deployment[1])) & 1) === 1;
          const wanted = { affinity: session, isNearLimit: isNear, usedShare: () => 0.5 };
          const order = orderOf(createBalancer(), pool, wanted, (place) => !isOpen(place));
          expect([...order].sort(byName)).toEqual(pool.deployments);
          const rank = (place: Deployment) =>
            isOpen(place) ? 3 : place.weight === 0 ? 2 : isNear(place) ? 1 : 0;
          expect(order.map(rank)).toEqual(order.map(rank).sort());
        },
      ),
    );
  });

  it('remaining_quota goes to the one with the largest share left', () => {
    const pool = deployed([1, 1, 1], 'remaining_quota');
    const usedShare = ({ deployment = '' }: { deployment?: string }) =>
      [0.7, 0.2, 0.5][Number(deployment[1])];
    const order = orderOf(createBalancer(), pool, { usedShare });
    expect(order.map(({ deployment }) => deployment)).toEqual(['d1/gpt', 'd2/gpt', 'd0/gpt']);
  });

  it('sends what a provider keeps to the first deployment alone', () => {
    const pool = deployed([1, 5]);
    const { deployments } = pool;
    const asked = (call: object) =>
      createBalancer()
        .order({
          model: pool,
          deployments,
          call: { ...callWith(), ...call },
          use: use(),
          mayTry: everyMayTry,
        })
        .map(({ deployment }) => deployment);
    const responses = (body: object) => ({ dialect: 'responses', body });
    expect(asked(responses({ previous_response_id: 'resp_1' }))).toEqual(['d0/gpt']);
    expect(asked(responses({ store: true }))).toEqual(['d0/gpt']);
    expect(asked({ ...responses({ store: true }), stored: true })).toHaveLength(2);
    expect(asked({ body: { messages: [{ content: [{ file: { file_id: 'file-1' } }] }] } })).toEqual([
      'd0/gpt',
    ]);
  });
});

const byName = (a: Deployment, b: Deployment) => (a.deployment < b.deployment ? -1 : 1);
const SESSIONS = Array.from({ length: 10_000 }, (_, i) => `session ${i}`);

describe('affinity', () => {
  it('keeps a conversation where it is, and moves only those of a deployment that goes', () => {
    fc.assert(
      fc.property(
        someWeights,
        fc.array(fc.string(), { maxLength: 30 }),
        fc.nat(),
        (weights, sessions, gone) => {
          const places = deployed(weights).deployments.filter(({ weight }) => weight > 0);
          const missing = places[gone % places.length];
          for (const session of sessions) {
            const before = rendezvousOrder(places, session);
            const after = rendezvousOrder(
              places.filter((place) => place !== missing),
              session,
            );
            expect(after).toEqual(before.filter((place) => place !== missing));
          }
        },
      ),
    );
  });

  it.each([2, 3, 4, 8])('%i deployments of one weight: no more than 1/n of the conversations move', (n) => {
    const places = deployed(Array.from({ length: n }, () => 1)).deployments;
    const moved = SESSIONS.filter((session) => rendezvousOrder(places, session)[0] === places[0]);
    const sigma = Math.sqrt((SESSIONS.length * (n - 1)) / n ** 2);
    expect(moved.length).toBeLessThan(SESSIONS.length / n + 4 * sigma);
    expect(moved.length).toBeGreaterThan(SESSIONS.length / n - 4 * sigma);
  });

  it('spreads conversations by weight', () => {
    const places = deployed([1, 2, 1]).deployments;
    const heavy = SESSIONS.filter((session) => rendezvousOrder(places, session)[0] === places[1]);
    expect(heavy.length / SESSIONS.length).toBeCloseTo(0.5, 1);
  });

  it('is left for the next in the order of the conversation when its deployment is much busier', () => {
    const pool = deployed([1, 1, 1]);
    const [own, next] = rendezvousOrder(pool.deployments, 'talk');
    const balancer = createBalancer();
    const first = () => orderOf(balancer, pool, { affinity: 'talk' })[0];
    const leaves = Array.from({ length: 8 }, () => balancer.enter(own!));
    expect(first()).toBe(own);
    leaves.push(balancer.enter(own!));
    expect(first()).toBe(next);
    leaves[0]!();
    expect(first()).toBe(own);
  });
});
