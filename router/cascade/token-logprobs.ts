import type { Reply } from '../types.ts';
import { LEAST_LOGPROB } from './signal-columns.ts';

/** What the log-probabilities of a reply's tokens say about it; without fields if they say nothing. */
export type LogprobSignals = Pick<Reply, 'confidenceLogprob' | 'meanLogprob' | 'minLogprob'>;

/**
 * Less is no logarithm of a probability that anything computes. Of a token: OpenAI and vLLM write -9999 for one that is as good as impossible. Of a
 * whole reply: a hundred thousand such tokens.
 */
export const LEAST_POSSIBLE_LOGPROB = { token: -1e4, reply: -1e9 } as const;

/**
 * Mean and least of the tokens' log-probabilities, and their sum, which is the logarithm of the probability of the whole reply. Tokens less
 * likely than LEAST_LOGPROB count as that: OpenAI writes -9999 for all that are very unlikely.
 * @param logprobs natural logarithms, one a token. If one of them is none of a probability (-Infinity, NaN, positive, no number, below any possible
 *   one), all are missing: what sends such a number is not to be trusted with the rest
 */
export function logprobSignals(logprobs: readonly unknown[]): LogprobSignals {
  if (logprobs.length === 0 || !logprobs.every(isLogprob)) return {};
  let confidenceLogprob = 0;
  let minLogprob = 0;
  for (const logprob of logprobs) {
    const counted = Math.max(logprob, LEAST_LOGPROB);
    confidenceLogprob += counted;
    minLogprob = Math.min(minLogprob, counted);
  }
  return { confidenceLogprob, meanLogprob: confidenceLogprob / logprobs.length, minLogprob };
}

function isLogprob(value: unknown): value is number {
  return typeof value === 'number' && value >= LEAST_POSSIBLE_LOGPROB.token && value <= 0;
}
