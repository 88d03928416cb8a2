import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logprobSignals } from '../../router/cascade/index.ts';

test('mean, least, and the sum: the logarithm of the whole reply’s probability', () => {
  expect(logprobSignals([-1, -0.5, 0])).toEqual({
    confidenceLogprob: -1.5,
    meanLogprob: -0.5,
    minLogprob: -1,
  });
});

test('OpenAI’s -9999 for tokens that are very unlikely does not outweigh the rest', () => {
  expect(logprobSignals([-9999, 0])).toEqual({ confidenceLogprob: -20, meanLogprob: -10, minLogprob: -20 });
});

test.each([[-Infinity], [-1e308], [-10_001], [Infinity], [NaN], [0.001], ['-1'], [null], [undefined], [{}]])(
  'one token with %s: all are missing, and none is 0',
  (bad) => {
    expect(logprobSignals([-1, bad, -1])).toEqual({});
  },
);

test('no tokens, no signals', () => {
  expect(logprobSignals([])).toEqual({});
});

test('within their bounds for any log-probabilities', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ max: 0, noNaN: true, min: -1e4 }), { minLength: 1 }), (logprobs) => {
      const { meanLogprob, minLogprob, confidenceLogprob } = logprobSignals(logprobs);
      expect(meanLogprob).toBeLessThanOrEqual(0);
      expect(minLogprob).toBeLessThanOrEqual(meanLogprob! + 1e-9);
      expect(confidenceLogprob).toBeLessThanOrEqual(minLogprob! + 1e-9);
    }),
  );
});
