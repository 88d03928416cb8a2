import type { AttemptRecord } from '../fallback/index.ts';
import type { LatencyBook } from '../latency/index.ts';
import type { RequestFacts } from '../records/index.ts';

/** Made to judge a reply: with a prompt and a length of their own. */
const OTHER_REQUESTS: readonly AttemptRecord['kind'][] = ['sample', 'verifier'];

/**
 * Shows the attempts of a conversation to the book. An attempt that timed out counts with the time that it was given: leaving it out would
 * make a provider that stalls look quick.
 */
export function observeLatency(book: LatencyBook, facts: RequestFacts): void {
  if (facts.operation !== 'chat') return;
  const { attempts, served, stream } = facts;
  const last = attempts.findLast(({ model, outcome }) => outcome === 'answer' && model === served?.name);
  for (const attempt of attempts) {
    const { model, kind, outcome, ms } = attempt;
    if (OTHER_REQUESTS.includes(kind) || (outcome !== 'answer' && outcome !== 'timeout')) continue;
    book.observe({ model, stream, ms, reply: attempt === last ? replyOf(facts) : undefined });
  }
}

/** Only of a reply that went out as a whole: one that broke off, or waited for its client, has another pace. */
function replyOf({ ended, outputTokens: tokens, durationMs, firstByteMs, check }: RequestFacts) {
  if (ended !== 'whole' || check !== undefined || firstByteMs === undefined) return undefined;
  if (tokens === undefined || !Number.isSafeInteger(tokens) || tokens < 1) return undefined;
  return { tokens, streamedMs: durationMs - firstByteMs };
}
