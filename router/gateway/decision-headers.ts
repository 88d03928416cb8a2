import type { Decision } from '../router.ts';
import type { Selection } from './selection.ts';

/** US dollars, undefined where the tokens or the price are not known. */
export interface Costs {
  readonly costUsd: number | undefined;
  readonly baselineCostUsd: number | undefined;
}

/** What the answer's head says of how it came about. Of a stream the costs are not known before its end. */
export interface AnswerStory extends Costs {
  /** Undefined where nobody answered. */
  readonly served: string | undefined;
  readonly attempts: number;
  readonly overheadMs: number;
  /** Paths of the client's fields that the model did not get. */
  readonly dropped: readonly string[];
}

interface Told extends Pick<Selection, 'selected' | 'reason'> {
  readonly decision: Pick<Decision, 'policy' | 'verdict' | 'ungatedReason'> | undefined;
}

/** What can be said of a request before a provider has replied. If no policy decided none is named, and the verdict is `none`. */
export function selectionHeaders(id: string, { selected, reason, decision }: Told): Record<string, string> {
  const own: Record<string, string> = {
    'x-plimsoll-decision-id': id,
    'x-plimsoll-selected': headerSafe(selected.name),
    'x-plimsoll-reason': reason,
    'x-plimsoll-verdict': decision === undefined ? 'none' : decision.verdict,
  };
  if (decision === undefined) return own;
  own['x-plimsoll-policy'] = headerSafe(decision.policy.name);
  if (decision.ungatedReason !== null) own['x-plimsoll-ungated-reason'] = decision.ungatedReason;
  return own;
}

/**
 * The whole head of an answer: `own`, of `selectionHeaders`, to which the rest is added, and of `headers` what has not the name of one of
 * ours. Field by field into one object: merging objects of this size was among the dearest lines of a request.
 */
export function answerHead(
  own: Record<string, string>,
  headers: Readonly<Record<string, string>>,
  story: AnswerStory,
): Record<string, string> {
  for (const name in headers) {
    if (!name.startsWith('x-plimsoll-')) own[name] = headers[name]!;
  }
  own['x-plimsoll-attempts'] = String(story.attempts);
  own['x-plimsoll-overhead-ms'] = story.overheadMs.toFixed(3);
  if (story.served !== undefined) own['x-plimsoll-served'] = headerSafe(story.served);
  if (story.dropped.length > 0) own['x-plimsoll-dropped'] = droppedHeader(story.dropped);
  return costHeaders(own, story);
}

/** Characters of `x-plimsoll-dropped`: a long conversation may bear a mark on every message. */
const LONGEST_DROPPED = 1_000;

/** As many paths as have room, then how many more there are. They are printable already. */
function droppedHeader(paths: readonly string[]): string {
  let list = '';
  for (const [index, path] of paths.entries()) {
    const longer = index === 0 ? path : `${list}, ${path}`;
    if (longer.length > LONGEST_DROPPED) return `${list}, and ${paths.length - index} more`;
    list = longer;
  }
  return list;
}

/** What a stream may say of its cost when it has ended (RFC 9110, section 6.6.2). */
export const COST_TRAILERS = 'x-plimsoll-cost-usd, x-plimsoll-baseline-cost-usd';

/** Adds the costs to `headers`. */
export function costHeaders(
  headers: Record<string, string>,
  { costUsd, baselineCostUsd }: Costs,
): Record<string, string> {
  if (costUsd !== undefined) headers['x-plimsoll-cost-usd'] = dollars(costUsd);
  if (baselineCostUsd !== undefined) headers['x-plimsoll-baseline-cost-usd'] = dollars(baselineCostUsd);
  return headers;
}

function dollars(usd: number): string {
  return usd.toFixed(8);
}

const UNSAFE = /[^\x20-\x7e]/gu;

/** Names come from the configuration: what no header may hold is written as in a URL, half of a surrogate pair as U+FFFD. */
function headerSafe(text: string): string {
  return text.replace(UNSAFE, (sign) =>
    Buffer.from(sign).toString('hex').toUpperCase().replace(/../g, '%$&'),
  );
}
