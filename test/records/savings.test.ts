import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  baselineCostUsd,
  createRungShares,
  randomCostUsd,
  savedShare,
} from '../../router/records/savings.ts';

const cheap = { inputUsd: 1, outputUsd: 2 };
const strong = { inputUsd: 10, outputUsd: 40, cachedInputUsd: 5 };
const usage = { inputTokens: 1_000_000, outputTokens: 500_000 };

test('the baseline is the strongest price for the same tokens', () => {
  expect(baselineCostUsd(strong, usage)).toBe(30);
  expect(baselineCostUsd(strong, { ...usage, cachedInputTokens: 400_000 })).toBe(28);
  expect(baselineCostUsd(undefined, usage)).toBeUndefined();
  expect(baselineCostUsd(strong, undefined)).toBeUndefined();
});

test('both know what caches and long prompts cost', () => {
  const price = {
    ...strong,
    cacheWriteUsd: 12.5,
    tiers: [{ aboveInputTokens: 1_000_000, inputUsd: 20, outputUsd: 60 }],
  };
  const written = { ...usage, cachedInputTokens: 400_000, cacheWriteInputTokens: 400_000 };
  const rungs = [
    { price: cheap, share: 0.5 },
    { price, share: 0.5 },
  ];
  // 0.2 x 10 + 0.4 x 5 + 0.4 x 12.5 + 0.5 x 40
  expect(baselineCostUsd(price, written)).toBe(29);
  expect(randomCostUsd(rungs, written)).toBe(0.5 * 2 + 0.5 * 29);
  const long = { inputTokens: 2_000_000, outputTokens: 500_000 };
  expect(baselineCostUsd(price, long)).toBe(70);
  expect(randomCostUsd(rungs, long)).toBe(0.5 * 3 + 0.5 * 70);
});

test('random is the mean over the shares; a rung without a share needs no price', () => {
  const rungs = [
    { price: cheap, share: 0.75 },
    { price: strong, share: 0.25 },
  ];
  expect(randomCostUsd(rungs, usage)).toBe(0.75 * 2 + 0.25 * 30);
  expect(
    randomCostUsd(
      [
        { price: cheap, share: 1 },
        { price: undefined, share: 0 },
      ],
      usage,
    ),
  ).toBe(2);
  expect(
    randomCostUsd(
      [
        { price: cheap, share: 0.5 },
        { price: undefined, share: 0.5 },
      ],
      usage,
    ),
  ).toBeUndefined();
  expect(randomCostUsd(rungs, undefined)).toBeUndefined();
  expect(randomCostUsd([], usage)).toBeUndefined();
  expect(randomCostUsd([{ price: cheap, share: 0 }], usage)).toBeUndefined();
});

test('with equal requests, random costs over many what the router costs: equal requests leave nothing to choose', () => {
  const shares = createRungShares();
  let [spent, random] = [0, 0];
  for (let i = 0; i < 10_000; i++) {
    const model = i % 5 === 0 ? 'strong' : 'cheap';
    shares.chose(model);
    spent += baselineCostUsd(model === 'strong' ? strong : cheap, usage)!;
    const rungs = [
      { price: cheap, share: shares.shareOf('cheap') },
      { price: strong, share: shares.shareOf('strong') },
    ];
    random += randomCostUsd(rungs, usage)!;
  }
  expect(shares.shareOf('strong')).toBe(0.2);
  expect(shares.shareOf('never')).toBe(0);
  expect(random / spent).toBeCloseTo(1, 2);
});

test('random lies between the cheapest and the dearest rung', () => {
  const tokens = fc.record({ inputTokens: fc.nat(1e6), outputTokens: fc.nat(1e6) });
  fc.assert(
    fc.property(tokens, fc.double({ min: 0, max: 1, noNaN: true }), (use, share) => {
      const cost = randomCostUsd(
        [
          { price: cheap, share: 1 - share },
          { price: strong, share },
        ],
        use,
      )!;
      expect(cost).toBeGreaterThanOrEqual(baselineCostUsd(cheap, use)! * (1 - 1e-9));
      expect(cost).toBeLessThanOrEqual(baselineCostUsd(strong, use)! * (1 + 1e-9));
    }),
  );
});

test('the saved share', () => {
  expect(savedShare(25, 100)).toBe(0.75);
  expect(savedShare(150, 100)).toBe(-0.5);
  expect(savedShare(0, 0)).toBeUndefined();
});
