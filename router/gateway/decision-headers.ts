/** What the answer's head says of how it came about. */
export interface AnswerStory {
  readonly id: string;
  readonly selected: string;
  /** Undefined where nobody answered. */
  readonly served: string | undefined;
  /** Undefined where the client named the model. */
  readonly policy: string | undefined;
  readonly reason: string;
  readonly attempts: number;
  /** Known only where the tokens and the price are: of a stream, not before its end. */
  readonly costUsd: number | undefined;
  readonly baselineCostUsd: number | undefined;
  readonly overheadMs: number;
}

/** `x-plimsoll-*`. What is not known is left out. */
export function decisionHeaders(story: AnswerStory): Record<string, string> {
  const headers: Record<string, string> = {
    'x-plimsoll-decision-id': story.id,
    'x-plimsoll-selected': headerSafe(story.selected),
    'x-plimsoll-reason': story.reason,
    'x-plimsoll-attempts': String(story.attempts),
    'x-plimsoll-overhead-ms': story.overheadMs.toFixed(3),
  };
  if (story.served !== undefined) headers['x-plimsoll-served'] = headerSafe(story.served);
  if (story.policy !== undefined) headers['x-plimsoll-policy'] = headerSafe(story.policy);
  if (story.costUsd !== undefined) headers['x-plimsoll-cost-usd'] = dollars(story.costUsd);
  if (story.baselineCostUsd !== undefined)
    headers['x-plimsoll-baseline-cost-usd'] = dollars(story.baselineCostUsd);
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
