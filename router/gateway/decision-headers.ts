/** US dollars, undefined where the tokens or the price are not known. */
export interface Costs {
  readonly costUsd: number | undefined;
  readonly baselineCostUsd: number | undefined;
}

/** What the answer's head says of how it came about. Of a stream the costs are not known before its end. */
export interface AnswerStory extends Costs {
  readonly id: string;
  readonly selected: string;
  /** Undefined where nobody answered. */
  readonly served: string | undefined;
  /** Undefined where the client named the model. */
  readonly policy: string | undefined;
  readonly reason: string;
  readonly attempts: number;
  readonly overheadMs: number;
}

/**
 * `headers` and `x-plimsoll-*`. What is not known is left out. One copy, then field by field: merging objects of this size was among the
 * dearest lines of a request.
 */
export function decisionHeaders(
  story: AnswerStory,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  const all: Record<string, string> = { ...headers };
  all['x-plimsoll-decision-id'] = story.id;
  all['x-plimsoll-selected'] = headerSafe(story.selected);
  all['x-plimsoll-reason'] = story.reason;
  all['x-plimsoll-attempts'] = String(story.attempts);
  all['x-plimsoll-overhead-ms'] = story.overheadMs.toFixed(3);
  if (story.served !== undefined) all['x-plimsoll-served'] = headerSafe(story.served);
  if (story.policy !== undefined) all['x-plimsoll-policy'] = headerSafe(story.policy);
  return costHeaders(all, story);
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

/** Names come from the configuration: what no header may hold is written as in a URL. */
function headerSafe(text: string): string {
  return text.replace(UNSAFE, (sign) => encodeURIComponent(sign));
}
