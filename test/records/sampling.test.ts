import { expect, test } from 'vitest';
import type { Stratum } from '../../router/records/index.ts';
import { createSampler, stratumOf } from '../../router/records/sampling.ts';
import { seededRandom } from '../../router/statistics/index.ts';

const stratum = (task: string): Stratum => ({ task, length: 'short', language: 'en', score: '0' });

/** Traffic of which each stratum has half of what is left: a rare one has 1 in 512. */
function traffic(count: number, random: () => number): Stratum[] {
  return Array.from({ length: count }, () =>
    stratum(`t${Math.min(9, Math.floor(-Math.log2(1 - random())))}`),
  );
}

test.each([0.02, 0.1, 0.5])(
  'a share of %d is kept, rare strata more often, and the weights add up to the traffic',
  (share) => {
    const random = seededRandom(7);
    const sums: number[] = [];
    let kept = 0;
    for (let run = 0; run < 40; run++) {
      const sampler = createSampler(share, random);
      let [weights, ofRare] = [0, 0];
      let rare = 0;
      for (const one of traffic(2_000, random)) {
        if (one.task === 't6') rare++;
        const p = sampler.draw(one);
        if (p === undefined) continue;
        expect(p).toBeGreaterThanOrEqual(share * Math.max(0.25, share));
        expect(p).toBeLessThanOrEqual(1);
        kept++;
        weights += 1 / p;
        if (one.task === 't6') ofRare += 1 / p;
      }
      sums.push(weights - 2_000, ofRare - rare);
      expect(sampler.probability(stratum('t8'))).toBeGreaterThan(2 * sampler.probability(stratum('t0')));
    }
    // Horvitz and Thompson: the mean error is 0. Four standard errors of it.
    for (const offset of [0, 1]) {
      const errors = sums.filter((_, at) => at % 2 === offset);
      const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
      const sd = Math.sqrt(errors.reduce((sum, error) => sum + (error - mean) ** 2, 0) / (errors.length - 1));
      expect(Math.abs(mean)).toBeLessThan((4 * sd) / Math.sqrt(errors.length));
    }
    // Cut at 1, a rate brings less than its share; so not above it but for chance.
    expect(kept / 80_000).toBeLessThan(share + 4 * Math.sqrt(share / 80_000) + 0.005);
    expect(kept / 80_000).toBeGreaterThan(share * 0.75);
  },
);

test('a probability is that of the past: it does not depend on what is drawn, nor on what comes', () => {
  const random = seededRandom(3);
  const all = traffic(500, random);
  const [always, never] = [createSampler(0.1, () => 0), createSampler(0.1, () => 0.999_999)];
  for (const one of all) {
    expect(always.probability(one)).toBe(never.probability(one));
    expect(always.draw(one)).toBe(never.probability(one));
    never.draw(one);
  }
});

test('a share of 1 keeps all, with the probability 1', () => {
  const sampler = createSampler(1);
  for (const one of traffic(300, seededRandom(1))) expect(sampler.draw(one)).toBe(1);
});

test('the counts are halved: rates follow the traffic, and stay probabilities', () => {
  const sampler = createSampler(0.1, () => 0.999);
  for (let i = 0; i < 150_000; i++) sampler.draw(stratum('old'));
  const before = sampler.probability(stratum('old'));
  for (let i = 0; i < 150_000; i++) sampler.draw(stratum('new'));
  expect(sampler.probability(stratum('old'))).toBeGreaterThan(before);
  expect(sampler.probability(stratum('new'))).toBeLessThan(0.1);
});

test('tasks without end share a stratum', () => {
  const sampler = createSampler(0.1, () => 0.999);
  for (let i = 0; i < 5_000; i++) sampler.draw(stratum(`task ${i}`));
  expect(sampler.probability(stratum('yet another'))).toBeLessThan(sampler.probability(stratum('task 1')));
});

test.each([
  ['What is the capital of France, and how is it that you know?', 'short', 'en'],
  ['Wie ist das Wetter in der Stadt, und was ist mit dem Zug nicht in Ordnung?', 'short', 'de'],
  ['Как пройти в библиотеку?', 'short', 'Cyrillic'],
  ['図書館はどこですか', 'short', 'ja'],
  ['图书馆在哪里', 'short', 'zh'],
  ['x'.repeat(1_001), 'long', 'und'],
  ['x'.repeat(4_001), 'very-long', 'und'],
])('%# is of its band and language', (text, length, language) => {
  expect(stratumOf({ text, predictedLoss: 0.07 })).toEqual({ length, language, score: '0.05' });
});

test('what the client named has no score, and a negative loss is a band', () => {
  expect(stratumOf({ text: 'x' }).score).toBe('none');
  expect(stratumOf({ text: 'x', predictedLoss: -0.2 }).score).toBe('-1');
});
