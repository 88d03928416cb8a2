import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { costUsd, knownFacts, PRICE_TABLE } from '../../router/catalog/prices.ts';
import type { TokenRates } from '../../router/catalog/types.ts';

const MODELS = Object.values(PRICE_TABLE).flatMap(({ models }) => Object.entries(models));

test('it says of when it is and where from', () => {
  for (const [kind, { asOf, source }] of Object.entries(PRICE_TABLE)) {
    expect(new Date(asOf).toISOString().slice(0, 10), kind).toBe(asOf);
    expect(new URL(source).protocol).toBe('https:');
  }
});

test.each(MODELS)('%s holds nothing that cannot be', (_, { price, contextWindow, maxOutputTokens = 1 }) => {
  const { tiers = [] } = price;
  const steps: TokenRates[] = [price, ...tiers];
  for (const { inputUsd, outputUsd, cachedInputUsd, cacheWriteUsd } of steps) {
    expect(inputUsd).toBeGreaterThan(0);
    expect(outputUsd).toBeGreaterThanOrEqual(inputUsd);
    expect(cachedInputUsd).toBeLessThan(inputUsd);
    expect(cacheWriteUsd ?? inputUsd).toBeGreaterThanOrEqual(inputUsd);
  }
  for (const [i, { aboveInputTokens, inputUsd, cacheWriteUsd }] of tiers.entries()) {
    expect(aboveInputTokens).toBeLessThan(contextWindow);
    expect(inputUsd).toBeGreaterThan(steps[i]!.inputUsd);
    expect(cacheWriteUsd === undefined).toBe(price.cacheWriteUsd === undefined);
  }
  expect(maxOutputTokens).toBeLessThan(contextWindow);
});

test('a long prompt costs what the provider says, the whole of it', () => {
  const usage = {
    inputTokens: 272_000,
    outputTokens: 1_000,
    cachedInputTokens: 200_000,
    cacheWriteInputTokens: 50_000,
  };
  const price = knownFacts('openai', 'gpt-6-sol')?.price;
  // 22,000 x 2 + 200,000 x 0.2 + 50,000 x 2.5 + 1,000 x 10
  expect(costUsd(price, usage)).toBeCloseTo(0.219, 12);
  // 22,001 x 4 + 200,000 x 0.4 + 50,000 x 5 + 1,000 x 15
  expect(costUsd(price, { ...usage, inputTokens: 272_001 })).toBeCloseTo(0.433004, 12);
});

test('the documentation names every price that rests on other lists, and no other', () => {
  const text = readFileSync(new URL('../../docs/CONFIGURATION.md', import.meta.url), 'utf8');
  const paragraph = text.split('\n\n').find((part) => part.startsWith('**Prices from other lists.**'))!;
  const named = [...paragraph.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  const resting = MODELS.filter(([, { priceFrom }]) => priceFrom === 'list').map(([id]) => id);
  expect(named.sort()).toEqual(resting.sort());
});
