import { describe, expect, test } from 'vitest';
import { costUsd } from '../../router/catalog/prices.ts';

const PRICE = { inputUsd: 3, outputUsd: 15, cachedInputUsd: 0.3 };

test('by hand', () => {
  // 1,000 x 3 + 500 x 15 = 10,500 millionths of a dollar
  expect(costUsd(PRICE, { inputTokens: 1_000, outputTokens: 500 })).toBeCloseTo(0.0105, 12);
  // 200 x 3 + 800 x 0.3 + 500 x 15 = 600 + 240 + 7,500
  expect(costUsd(PRICE, { inputTokens: 1_000, outputTokens: 500, cachedInputTokens: 800 })).toBeCloseTo(
    0.00834,
    12,
  );
});

test('cached input costs as other input where its price is not known, and is never more than the input', () => {
  const { cachedInputUsd: _, ...price } = PRICE;
  expect(costUsd(price, { inputTokens: 1_000, outputTokens: 0, cachedInputTokens: 800 })).toBeCloseTo(
    0.003,
    12,
  );
  expect(costUsd(PRICE, { inputTokens: 100, outputTokens: 0, cachedInputTokens: 800 })).toBeCloseTo(
    0.00003,
    12,
  );
});

test('input written to a cache has a price of its own, else that of other input', () => {
  const usage = { inputTokens: 1_000, outputTokens: 0, cachedInputTokens: 500, cacheWriteInputTokens: 400 };
  // 100 x 3 + 500 x 0.3 + 400 x 3.75 = 300 + 150 + 1,500
  expect(costUsd({ ...PRICE, cacheWriteUsd: 3.75 }, usage)).toBeCloseTo(0.00195, 12);
  // 500 x 3 + 500 x 0.3
  expect(costUsd(PRICE, usage)).toBeCloseTo(0.00165, 12);
  expect(costUsd({ ...PRICE, cacheWriteUsd: 0 }, usage)).toBeCloseTo(0.00045, 12);
});

test('what is kept for an hour has its own price, by default that of what is written', () => {
  const usage = {
    inputTokens: 1_000,
    outputTokens: 0,
    cacheWriteInputTokens: 400,
    cacheWrite1hInputTokens: 300,
  };
  const price = { ...PRICE, cacheWriteUsd: 4 };
  const fresh = 600 * PRICE.inputUsd;
  expect(costUsd(price, usage)).toBeCloseTo((fresh + 400 * 4) / 1e6, 12);
  expect(costUsd({ ...price, cacheWrite1hUsd: 6 }, usage)).toBeCloseTo((fresh + 100 * 4 + 300 * 6) / 1e6, 12);
  expect(costUsd({ ...price, cacheWrite1hUsd: 6 }, { ...usage, cacheWrite1hInputTokens: 900 })).toBeCloseTo(
    (fresh + 400 * 6) / 1e6,
    12,
  );
});

test('what is read and written is never more than the input, whatever a provider says', () => {
  const price = { ...PRICE, cacheWriteUsd: 3.75 };
  const more = { inputTokens: 100, outputTokens: 0, cachedInputTokens: 80, cacheWriteInputTokens: 900 };
  // 80 x 0.3 + 20 x 3.75
  expect(costUsd(price, more)).toBeCloseTo(0.000099, 12);
  expect(costUsd(price, { inputTokens: 1, outputTokens: 1, cacheWriteInputTokens: -1 })).toBeUndefined();
});

describe('long prompts', () => {
  const TIERED = {
    ...PRICE,
    tiers: [
      { aboveInputTokens: 200_000, inputUsd: 6, outputUsd: 20, cachedInputUsd: 0.6, cacheWriteUsd: 7 },
      { aboveInputTokens: 500_000, inputUsd: 9, outputUsd: 30 },
    ],
  };
  const cost = (inputTokens: number) => costUsd(TIERED, { inputTokens, outputTokens: 1_000 });

  test.each([
    [0, 0.015],
    [199_999, 0.614997],
    [200_000, 0.615],
    [200_001, 1.220006], // 200,001 x 6 + 1,000 x 20: the whole request, the answer included
    [500_000, 3.02],
    [500_001, 4.530009],
  ])('%i tokens of input', (tokens, usd) => expect(cost(tokens)).toBeCloseTo(usd, 12));

  test('the length is that of the whole prompt, and a tier has cache prices of its own', () => {
    const usage = {
      inputTokens: 300_000,
      outputTokens: 0,
      cachedInputTokens: 200_000,
      cacheWriteInputTokens: 90_000,
    };
    // 10,000 x 6 + 200,000 x 0.6 + 90,000 x 7
    expect(costUsd(TIERED, usage)).toBeCloseTo(0.81, 12);
    // The second tier has none: its own input, not the price of the first or of short prompts.
    expect(costUsd(TIERED, { ...usage, inputTokens: 600_000 })).toBeCloseTo(5.4, 12);
  });
});

test('nothing costs nothing, and what is free is free', () => {
  expect(costUsd(PRICE, { inputTokens: 0, outputTokens: 0 })).toBe(0);
  expect(costUsd({ inputUsd: 0, outputUsd: 0 }, { inputTokens: 9, outputTokens: 9 })).toBe(0);
});

test('what is not known stays undefined', () => {
  expect(costUsd(undefined, { inputTokens: 1, outputTokens: 1 })).toBeUndefined();
  expect(costUsd(PRICE, undefined)).toBeUndefined();
  expect(costUsd(PRICE, { inputTokens: Number.NaN, outputTokens: 1 })).toBeUndefined();
  expect(costUsd(PRICE, { inputTokens: 1, outputTokens: -1 })).toBeUndefined();
});
