import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Deployment } from '../../router/catalog/index.ts';
import { FAILURES } from '../../router/exchange/index.ts';
import { createBalancer, createFallbackChain } from '../../router/fallback/index.ts';
import { alwaysReady } from './attempts.ts';
import {
  callWith,
  model,
  outcomeOf,
  STRONG,
  type Step,
  settingsWith,
  virtualClock,
} from './fallback-script.ts';

type Outcome = Step['what'];

/** A chain over a model with such deployments; each plays its outcomes in turn, the last one again. */
function chainOver(scripts: readonly (readonly Outcome[])[], settings: object = {}) {
  const base = model('pool/gpt');
  const deployments = scripts.map(
    (_, i): Deployment => ({
      ...base,
      provider: { ...base.provider, name: `p${i}` },
      weight: 1,
      deployment: `p${i}/gpt`,
    }),
  );
  const pool = { ...base, deployments, balance: 'weights' as const };
  const clock = virtualClock();
  const balancer = createBalancer();
  const called: string[] = [];
  const chain = createFallbackChain({
    prepare: alwaysReady(async ({ model: { deployment, name } }) => {
      const place = deployment ?? name;
      const script = deployment === undefined ? ['answer' as const] : scripts[Number(deployment[1])]!;
      const turn = called.filter((one) => one === place).length;
      called.push(place);
      return outcomeOf({ what: script[Math.min(turn, script.length - 1)]! });
    }),
    settings: settingsWith(settings),
    balancer,
    clock,
    random: () => 0.5,
  });
  const leaves: (() => void)[] = [];
  const run = () =>
    chain.execute(callWith(), [pool, STRONG], clock.now() + 600_000, {
      deployments: { onReply: (leave) => leaves.push(leave) },
    });
  return { run, called, balancer, leaves, chain };
}

test('a deployment that fails is not tried again while there are others, and the model is the one that was chosen', async () => {
  const { run, called } = chainOver([['server-error'], ['rate-limited'], ['answer']]);
  const result = await run();
  expect(called).toEqual(['p0/gpt', 'p1/gpt', 'p2/gpt']);
  expect(result).toMatchObject({ kind: 'reply', model: { name: 'pool/gpt', deployment: 'p2/gpt' } });
  expect(result.attempts).toMatchObject([
    { model: 'pool/gpt', deployment: 'p0/gpt', kind: 'first', outcome: 'server-error' },
    { model: 'pool/gpt', deployment: 'p1/gpt', kind: 'retry', outcome: 'rate-limited' },
    { model: 'pool/gpt', deployment: 'p2/gpt', kind: 'retry', outcome: 'answer' },
  ]);
});

test('the last deployment is tried again after a wait, then the next model is called', async () => {
  const { run, called } = chainOver([['server-error'], ['server-error']], { retry: { max_retries: 1 } });
  expect(await run()).toMatchObject({ kind: 'reply', model: { name: STRONG.name } });
  expect(called).toEqual(['p0/gpt', 'p1/gpt', 'p1/gpt', STRONG.name]);
});

test('each deployment has a breaker of its own', async () => {
  const { run, called, chain } = chainOver([['server-error'], ['answer']], {
    breaker: { window: 2, min_attempts: 2 },
  });
  for (let i = 0; i < 6; i++) expect(await run()).toMatchObject({ model: { name: 'pool/gpt' } });
  expect(called.filter((name) => name === 'p0/gpt')).toHaveLength(2);
  expect(chain.breakerStates()).toEqual(
    new Map([
      ['pool/gpt p0/gpt', 'open'],
      ['pool/gpt p1/gpt', 'closed'],
    ]),
  );
});

test('what a prompt is refused for by one provider may pass at another; a prompt that is too long is so everywhere', async () => {
  const filtered = chainOver([['content-filter'], ['answer']]);
  expect(await filtered.run()).toMatchObject({ kind: 'reply', model: { deployment: 'p1/gpt' } });
  const long = chainOver([['context-window'], ['answer']]);
  await long.run();
  expect(long.called).not.toContain('p1/gpt');
  const bad = chainOver([['bad-request'], ['answer']]);
  await bad.run();
  expect(bad.called).toEqual(['p0/gpt']);
});

const GIVEN_UP: readonly Outcome[] = ['bad-request', 'context-window'];

test('in any order of failures the model replies if one of its deployments would, and no load stays behind', async () => {
  const outcome = fc.constantFrom<Outcome>(...FAILURES, 'answer', 'answer', 'answer');
  const scripts = fc.array(fc.array(outcome, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(scripts, fc.integer({ min: 1, max: 4 }), async (all, requests) => {
      const course = chainOver(all, {
        retry: { max_retries: 0 },
        breaker: { window: 100, min_attempts: 100 },
      });
      for (let i = 0; i < requests; i++) {
        course.called.length = 0;
        const fresh = chainOver(
          all.map((script) => script.slice(0, 1)),
          { retry: { max_retries: 0 } },
        );
        const result = await fresh.run();
        const ends = fresh.called
          .filter((name) => name !== STRONG.name)
          .map((name) => all[Number(name[1])]![0]!);
        expect(new Set(fresh.called).size).toBe(fresh.called.length);
        const last = ends.at(-1)!;
        if (last === 'answer') expect(result).toMatchObject({ kind: 'reply', model: { name: 'pool/gpt' } });
        else if (!GIVEN_UP.includes(last)) expect(all.every(([first]) => first !== 'answer')).toBe(true);
        await course.run();
      }
      for (const leave of course.leaves) leave();
      expect(course.balancer.atWork().size).toBe(0);
    }),
  );
});
