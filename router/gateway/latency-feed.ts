import { placeName } from '../catalog/index.ts';
import type { AttemptRecord } from '../fallback/index.ts';
import type { LatencyBook } from '../latency/index.ts';
import type { RequestFacts } from '../records/index.ts';

/** Made to judge a reply: with a prompt and a length of their own. */
const OTHER_REQUESTS: readonly AttemptRecord['kind'][] = ['sample', 'verifier'];

/**
 * Shows the attempts of a conversation to the book. An attempt that timed out counts with the time that it was given: leaving it out would
 * make a provider that stalls look quick. So does a first attempt that was given up for a hedge: it took longer than the quantile after which
 * the hedge began, so the quantile stays where it is. A hedge that was given up shows nothing: it had no time.
 */
export function observeLatency(book: LatencyBook, facts: RequestFacts): void {
  if (facts.operation !== 'chat') return;
  const { attempts, served, stream } = facts;
  const last = attempts.findLast(({ model, outcome }) => outcome === 'answer' && model === served?.name);
  for (const attempt of attempts) {
    const { model, kind, ms } = attempt;
    if (OTHER_REQUESTS.includes(kind) || !isTimed(attempt)) continue;
    const sample = { stream, ms, reply: attempt === last ? replyOf(facts) : undefined };
    book.observe({ model, ...sample });
    if (attempt.deployment !== undefined)
      book.observe({ model: placeName({ name: model, ...attempt }), ...sample });
  }
}

function isTimed({ kind, outcome }: AttemptRecord): boolean {
  if (outcome === 'cancelled') return kind === 'first' || kind === 'escalation';
  return outcome === 'answer' || outcome === 'timeout';
}

/** Only of a reply that went out as a whole: one that broke off, or waited for its client, has another pace. */
function replyOf({ ended, outputTokens: tokens, durationMs, firstByteMs, check }: RequestFacts) {
  if (ended !== 'whole' || check !== undefined || firstByteMs === undefined) return undefined;
  if (tokens === undefined || !Number.isSafeInteger(tokens) || tokens < 1) return undefined;
  return { tokens, streamedMs: durationMs - firstByteMs };
}
