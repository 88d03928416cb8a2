import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAILURES } from '../../router/exchange/index.ts';
import { type ModelFacts, model, type Step, scriptedChain } from './fallback-script.ts';

const step: fc.Arbitrary<Step> = fc.record(
  {
    what: fc.constantFrom(...FAILURES, 'answer' as const),
    takesMs: fc.constantFrom(0, 5, 900, 20_000, 200_000),
    retryAfterMs: fc.constantFrom(0, 700, 9_000, 90_000),
  },
  { requiredKeys: ['what'] },
);
const steps = fc.array(step, { minLength: 1, maxLength: 8 });
const facts: fc.Arbitrary<ModelFacts> = fc.record(
  { outputUsd: fc.constantFrom(0, 1, 4, 30), contextWindow: fc.constantFrom(8_000, 100_000) },
  { requiredKeys: [] },
);
const plan = fc.record({
  models: fc.array(fc.record({ provider: fc.constantFrom('near', 'far'), facts, steps }), { maxLength: 5 }),
  maxRetries: fc.integer({ min: 0, max: 4 }),
  budgetMs: fc.constantFrom(0, 1_000, 30_000),
  deadlineMs: fc.constantFrom(100, 5_000, 120_000, 3_600_000),
  ceiling: fc.option(fc.constantFrom(1, 3), { nil: undefined }),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

async function play({ models, maxRetries, budgetMs, deadlineMs, ceiling, random }: Plan) {
  const candidates = models.map((each, place) => model(`${each.provider}/m${place}`, each.facts));
  const script = Object.fromEntries(candidates.map(({ name }, place) => [name, models[place]?.steps ?? []]));
  const settings = {
    retry: { max_retries: maxRetries, budget_ms: budgetMs },
    ...(ceiling !== undefined && { max_fallback_price_factor: ceiling }),
  };
  const course = scriptedChain(script, { settings, random: () => random });
  const startedAt = course.clock.now();
  const result = await course.run(candidates, deadlineMs);
  return { ...course, candidates, result, tookMs: course.clock.now() - startedAt };
}

describe('for any script of outcomes', () => {
  it('nothing is tried after an answer or a bad request, and every attempt is on record', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (made) => {
        const { result, names } = await play(made);
        const tried = result.attempts.filter(({ outcome }) => !outcome.startsWith('skipped'));
        expect(tried.map(({ model: name }) => name)).toEqual(names());
        const ending = tried.findIndex(({ outcome }) => outcome === 'answer' || outcome === 'bad-request');
        expect(ending === -1 || ending === tried.length - 1).toBe(true);
        expect(result.kind === 'reply').toBe(tried.at(-1)?.outcome === 'answer');
      }),
      { numRuns: 500 },
    );
  });

  it('attempts, waits and time are bounded', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (made) => {
        const { clock, asked, candidates, tookMs } = await play(made);
        const slept = clock.slept.reduce((sum, ms) => sum + ms, 0);
        expect(asked.length).toBeLessThanOrEqual(candidates.length * (1 + made.maxRetries));
        expect(slept).toBeLessThanOrEqual(candidates.length * made.budgetMs);
        expect(tookMs).toBeLessThanOrEqual(made.deadlineMs + 1e-6);
        for (const { timeouts } of asked) expect(timeouts.totalMs).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it('goes through the candidates in order, falls back to each once, and retries only in between', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (made) => {
        const { result, candidates } = await play(made);
        const places = result.attempts.map(({ model: name }) =>
          candidates.findIndex((each) => each.name === name),
        );
        expect(places).toEqual(places.toSorted((a, b) => a - b));
        result.attempts.forEach(({ kind }, line) => {
          const again = line > 0 && places[line] === places[line - 1];
          expect(kind).toBe(again ? 'retry' : places[line] === 0 ? 'first' : 'fallback');
        });
      }),
      { numRuns: 500 },
    );
  });

  it('the status told is one that says what to do', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (made) => {
        const { result } = await play(made);
        if (result.kind === 'reply') return;
        const limited = result.attempts.some(({ outcome }) => outcome === 'rate-limited');
        expect([400, 429, 503, 504]).toContain(result.failure.status);
        if (result.failure.status === 429) expect(limited).toBe(true);
        if (limited) expect([429, 504, 400]).toContain(result.failure.status);
        if (result.retryAfterMs !== undefined) expect(result.retryAfterMs).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
