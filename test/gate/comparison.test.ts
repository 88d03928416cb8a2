import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measuredSchema } from '../../evals/gate/comparison.ts';
import { comparePolicies, type Replay } from '../../evals/gate/index.ts';
import { differenceBound, seededRandom, shuffledOrder } from '../../router/statistics/index.ts';
import { scaled } from '../helpers/long-run.ts';

const CHEAP_USD = 0.001;
const STRONG_USD = 0.01;

const inOrder = (rows: Uint32Array) => ({ rows, largestUnit: 1, batches: [rows.length] });

/** Cases with the quality of the cheap and of the strong candidate, and the settings of most tests. */
function world(cheap: readonly number[], strong: readonly number[], costsKnown = true) {
  const n = cheap.length;
  const costs = (usd: number) => (costsKnown ? new Float64Array(n).fill(usd) : undefined);
  const outcomes = {
    quality: [Float64Array.from(cheap), Float64Array.from(strong)],
    costUsd: [costs(CHEAP_USD), costs(STRONG_USD)],
  };
  return { outcomes, settings: { bets: inOrder(shuffledOrder(n, 1)), tolerance: 0.01, confidence: 0.95 } };
}

const rungs = (n: number, escalated: (row: number) => boolean) =>
  Int32Array.from({ length: n }, (_, row) => (escalated(row) ? 1 : 0));

/** The policies by the rung of each case. */
function compared(
  outcomes: Pick<Replay, 'quality' | 'costUsd'>,
  champion: Int32Array,
  challenger: Int32Array,
  settings: Parameters<typeof comparePolicies>[3],
) {
  const routed = (rungs: Int32Array) => {
    const { costUsd } = outcomes;
    const known = !costUsd.includes(undefined);
    return {
      rungs,
      costUsd: known ? Float64Array.from(rungs, (rung, row) => costUsd[rung]![row]!) : undefined,
    };
  };
  return comparePolicies(outcomes.quality, routed(champion), routed(challenger), settings);
}

describe('comparePolicies', () => {
  it('by hand: four cases', () => {
    const { outcomes, settings } = world([0, 0, 1, 0.5], [1, 1, 1, 0]);
    const champion = Int32Array.of(1, 0, 0, 1); // loses 0, 1, 0, 0
    const challenger = Int32Array.of(0, 1, 1, 0); // loses 1, 0, 0, -.5
    const measured = compared(outcomes, champion, challenger, settings);
    expect(measured.champion).toMatchObject({ escalation_rate: 0.5, quality_loss: { value: 0.25 } });
    expect(measured.challenger).toMatchObject({ escalation_rate: 0.5, quality_loss: { value: 0.125 } });
    expect(measured.quality_drop).toMatchObject({
      value: (1 - 1 + 0 - 0.5) / 4,
      n: 4,
      limits: { max: 0.01 },
    });
    expect(measured.escalation_difference.value).toBe(0);
    expect(measured.champion.cost_usd).toBeCloseTo((CHEAP_USD + STRONG_USD) / 2, 12);
    expect(measured.result).toBe('undecided');
  });

  it.each([
    ['better', 0.3, 0.01],
    ['not-worse', 0.005, 0.05],
    ['worse', -0.3, 0.01],
    ['undecided', -0.005, 0.01],
  ] as const)(
    '%s: the cheap candidate fails so often, and the tolerance is such',
    (result, gain, tolerance) => {
      // the champion sends all to the cheap one, the challenger all to the strong one: the drop is cheap - strong
      const n = 1000;
      const failing = (share: number) => Array.from({ length: n }, (_, row) => (row < share * n ? 0 : 1));
      const { outcomes, settings } = world(failing(Math.max(gain, 0)), failing(Math.max(-gain, 0)));
      const none = rungs(n, () => false);
      const all = rungs(n, () => true);
      const measured = compared(outcomes, none, all, { ...settings, tolerance });
      expect(measured.result).toBe(result);
      expect(measured.quality_drop.value).toBeCloseTo(-gain, 12);
      expect(measured.escalation_difference.value).toBe(1);
      expect(measured.quality_drop.note !== undefined).toBe(result === 'undecided');
    },
  );

  it('one policy twice: no difference, and not worse from some hundred cases on', () => {
    const policy = fc.array(fc.boolean(), { minLength: 20, maxLength: 700 });
    fc.assert(
      fc.property(policy, fc.integer({ min: 0, max: 1000 }), (escalated, seed) => {
        const n = escalated.length;
        const random = seededRandom(seed);
        const { outcomes, settings } = world(
          escalated.map(() => random()),
          escalated.map(() => random()),
        );
        const same = rungs(n, (row) => escalated[row]!);
        const measured = compared(outcomes, same, same, {
          ...settings,
          bets: inOrder(shuffledOrder(n, seed)),
        });
        expect(measured.quality_drop.value).toBe(0);
        expect(measured.champion).toEqual(measured.challenger);
        expect(measured.cost_difference_usd).toMatchObject({ value: 0, low: 0, high: 0 });
        if (n >= 450) expect(measured.result).toBe('not-worse');
        if (n <= 350) expect(measured.result).toBe('undecided');
        expect(measuredSchema.safeParse(measured).error).toBeUndefined();
      }),
      { numRuns: scaled(15) },
    );
  });

  it('a challenger that loses on each case where it differs is worse, and the champion against it better', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), (seed) => {
        const random = seededRandom(seed);
        const n = 600;
        const differs = Array.from({ length: n }, () => random() < 0.3);
        const { outcomes, settings } = world(
          differs.map((one) => (one ? 0 : random())),
          differs.map((one) => (one ? 1 : random())),
        );
        const good = rungs(n, (row) => differs[row]!);
        const bad = rungs(n, () => false);
        expect(compared(outcomes, good, bad, settings).result).toBe('worse');
        expect(compared(outcomes, bad, good, settings).result).toBe('better');
      }),
      { numRuns: scaled(20) },
    );
  });

  it('rests on the one-sided betting bounds of the differences, in the order given', () => {
    const random = seededRandom(5);
    const n = 300;
    const coin = () => (random() < 0.5 ? 1 : 0);
    const { outcomes, settings } = world(Array.from({ length: n }, coin), Array.from({ length: n }, coin));
    const order = shuffledOrder(n, 9);
    const [champion, challenger] = [rungs(n, () => coin() === 1), rungs(n, () => coin() === 1)];
    const { quality_drop: drop } = compared(outcomes, champion, challenger, {
      ...settings,
      bets: inOrder(order),
    });
    const drops = Float64Array.from(
      order,
      (row) => outcomes.quality[champion[row]!]![row]! - outcomes.quality[challenger[row]!]![row]!,
    );
    expect(drop.bounds.lower).toBeCloseTo(differenceBound.lower(drops, 1 - 0.95), 12);
    expect(drop.bounds.upper).toBeCloseTo(differenceBound.upper(drops, 1 - 0.95), 12);
    expect(drop.confidence).toBeCloseTo(0.95, 12);
  });

  it('the interval of the cost is that of the normal approximation where there are many cases', () => {
    const n = 2000;
    const { outcomes, settings } = world(new Array(n).fill(1), new Array(n).fill(1));
    const none = rungs(n, () => false);
    const third = rungs(n, (row) => row % 3 === 0);
    const { cost_difference_usd: cost } = compared(outcomes, none, third, settings);
    const share = Math.ceil(n / 3) / n;
    const step = STRONG_USD - CHEAP_USD;
    const halfWidth = 1.96 * step * Math.sqrt((share * (1 - share)) / n);
    expect(cost!.value).toBeCloseTo(share * step, 10);
    expect((cost!.high - cost!.low) / (2 * halfWidth)).toBeGreaterThan(0.9);
    expect((cost!.high - cost!.low) / (2 * halfWidth)).toBeLessThan(1.1);
  });

  it('costs that are not all known are null, never 0', () => {
    const { outcomes, settings } = world([0, 1], [1, 1], false);
    const measured = compared(outcomes, Int32Array.of(0, 1), Int32Array.of(1, 1), settings);
    expect(measured.cost_difference_usd).toBeNull();
    expect(measured.champion.cost_usd).toBeNull();
  });

  it('refuses to compare on no case, and a confidence that is none', () => {
    const { outcomes, settings } = world([0, 1], [1, 1]);
    const some = Int32Array.of(0, 1);
    expect(() => compared(outcomes, some, some, { ...settings, confidence: 1 })).toThrow(/delta/);
    const nothing = world([], []);
    expect(() => compared(nothing.outcomes, new Int32Array(), new Int32Array(), nothing.settings)).toThrow();
  });
});
