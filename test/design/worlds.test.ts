import { describe, expect, it } from 'vitest';
import type { QualityEstimate } from '../../evals/design/quality-estimates.ts';
import { drawWorlds } from '../../evals/design/worlds.ts';
import { mean } from '../../router/statistics/index.ts';

const SD = 0.1;
const measured = (logOdds: number, n: number): QualityEstimate => ({
  logOdds,
  sharedSd: 0,
  ownSd: SD,
  n,
  from: 'measured',
});
const RANKING = { delta: { mean: 0.3, sd: 0.1 }, unrecognised: { mean: 0.3, sd: 0.1 } };

function errorsOf(models: readonly QualityEstimate[], agreement: number): readonly (readonly number[])[] {
  const worlds = drawWorlds([models], { ranking: RANKING, agreement }, 20_000, 3);
  return models.map(({ logOdds }, model) =>
    worlds.map(({ quality }) => {
      const drawn = quality[0]![model]!;
      return (Math.log(drawn / (1 - drawn)) - logOdds) / SD;
    }),
  );
}

function correlation([a, b]: readonly (readonly number[])[]): number {
  return mean(a!.map((one, i) => one * b![i]!));
}

describe('worlds', () => {
  // Of 100 requests with independent successes .5 and .8, 10 would be the worse model's alone; with an agreement of .4 they are 4, so that
  // the correlation of successes is (.46 - .4) / (.5 x .4) = .3.
  it('have errors of models that replied to the same requests as correlated as their successes', () => {
    const errors = errorsOf([measured(Math.log(4), 300), measured(0, 300)], 0.4);
    expect(correlation(errors)).toBeCloseTo(0.3, 1);
    for (const one of errors) expect(mean(one.map((error) => error ** 2))).toBeCloseTo(1, 1);
  });

  it('have independent errors of models that were measured on other requests', () =>
    expect(correlation(errorsOf([measured(0, 300), measured(0, 200)], 0.4))).toBeCloseTo(0, 1));

  it('have independent errors if models agree no more than chance lets expect', () =>
    expect(correlation(errorsOf([measured(0, 300), measured(0, 300)], 1))).toBeCloseTo(0, 1));
});
