import { type CheckFacts, spentUsd } from '../records/index.ts';
import type { Decision } from '../router.ts';
import { switchCostOf } from './select-model.ts';
import type { Selection } from './selection.ts';

/** US dollars; undefined if the tokens or the price are not known. */
export interface Costs {
  readonly costUsd: number | undefined;
  readonly baselineCostUsd: number | undefined;
  /** Tokens of the prompt that the provider read from its cache, and wrote to it; undefined if it did not say. */
  readonly cachedTokens?: number | undefined;
  readonly cacheWriteTokens?: number | undefined;
}

/** How a reply came about. The costs of a stream are not known before its end. */
interface ReplyFacts extends Costs {
  /** Undefined if no model replied. */
  readonly served: string | undefined;
  /** Where it was served from, if from one of several places. */
  readonly deployment?: string | undefined;
  readonly attempts: number;
  readonly overheadMs: number;
  /** Paths of the client's fields that the model did not get. */
  readonly dropped: readonly string[];
  /** The look at a cheap reply, if there was one. */
  readonly check?: Pick<CheckFacts, 'ms' | 'spent'> | undefined;
}

interface Selected
  extends Pick<
    Selection,
    'selected' | 'reason' | 'session' | 'profile' | 'standing' | 'chosen' | 'experiment'
  > {
  readonly decision: Pick<Decision, 'policy' | 'verdict' | 'ungatedReason' | 'rule'> | undefined;
}

/** What is known about a request before a provider has replied. If no policy decided none is named, and the verdict is `none`. */
export function selectionHeaders(
  id: string,
  { selected, reason, decision, session, profile, standing, chosen, experiment }: Selected,
): Record<string, string> {
  const own: Record<string, string> = {
    'x-plimsoll-decision-id': id,
    'x-plimsoll-selected': headerSafe(selected.name),
    'x-plimsoll-reason': reason,
    'x-plimsoll-verdict': decision === undefined ? 'none' : decision.verdict,
  };
  if (session !== undefined) {
    own['x-plimsoll-session'] = session.transition(selected.name);
    own['x-plimsoll-session-source'] = session.identity.source;
    const cost = switchCostOf({ standing, chosen });
    if (cost !== undefined) own['x-plimsoll-switch-cost-nano-usd'] = String(cost);
  }
  if (profile !== undefined) own['x-plimsoll-profile'] = profile;
  if (experiment !== undefined) own['x-plimsoll-experiment'] = `${experiment.experiment}/${experiment.arm}`;
  if (decision === undefined) return own;
  own['x-plimsoll-policy'] = headerSafe(decision.policy.name);
  if (decision.rule !== undefined) own['x-plimsoll-rule'] = decision.rule;
  if (decision.ungatedReason !== null) own['x-plimsoll-ungated-reason'] = decision.ungatedReason;
  return own;
}

/**
 * The whole head of a reply: `own`, by `selectionHeaders`, to which the rest is added, and those of the provider's headers that do not
 * take a name of ours. Field by field into one object: merging objects of this size was among the most expensive lines of a request.
 */
export function replyHeaders(
  own: Record<string, string>,
  headers: Readonly<Record<string, string>>,
  facts: ReplyFacts,
): Record<string, string> {
  for (const name in headers) {
    if (!name.startsWith('x-plimsoll-')) own[name] = headers[name]!;
  }
  own['x-plimsoll-attempts'] = String(facts.attempts);
  own['x-plimsoll-overhead-ms'] = facts.overheadMs.toFixed(3);
  if (facts.served !== undefined) own['x-plimsoll-served'] = headerSafe(facts.served);
  if (facts.deployment !== undefined) own['x-plimsoll-deployment'] = headerSafe(facts.deployment);
  if (facts.check !== undefined) {
    own['x-plimsoll-check-ms'] = facts.check.ms.toFixed(3);
    const spent = spentUsd(facts.check);
    if (spent) own['x-plimsoll-check-cost-usd'] = dollars(spent);
  }
  if (facts.dropped.length > 0) own['x-plimsoll-dropped'] = droppedHeader(facts.dropped);
  return costHeaders(own, facts);
}

/** Characters of `x-plimsoll-dropped`: a long conversation may have a cache mark on every message. */
const LONGEST_DROPPED = 1_000;

/** As many paths as fit, then the number of the rest. They are printable already. */
function droppedHeader(paths: readonly string[]): string {
  let list = '';
  for (const [index, path] of paths.entries()) {
    const longer = index === 0 ? path : `${list}, ${path}`;
    if (longer.length > LONGEST_DROPPED) return `${list}, and ${paths.length - index} more`;
    list = longer;
  }
  return list;
}

/** The costs of a stream follow its end (RFC 9110, section 6.6.2). */
export const COST_TRAILERS =
  'x-plimsoll-cost-usd, x-plimsoll-baseline-cost-usd, x-plimsoll-cached-tokens, x-plimsoll-cache-write-tokens';

/** Adds the costs, and the tokens of the provider's cache that explain them, to `headers`. */
export function costHeaders(
  headers: Record<string, string>,
  { costUsd, baselineCostUsd, cachedTokens, cacheWriteTokens }: Costs,
): Record<string, string> {
  if (costUsd !== undefined) headers['x-plimsoll-cost-usd'] = dollars(costUsd);
  if (baselineCostUsd !== undefined) headers['x-plimsoll-baseline-cost-usd'] = dollars(baselineCostUsd);
  if (cachedTokens !== undefined) headers['x-plimsoll-cached-tokens'] = String(cachedTokens);
  if (cacheWriteTokens !== undefined) headers['x-plimsoll-cache-write-tokens'] = String(cacheWriteTokens);
  return headers;
}

function dollars(usd: number): string {
  return usd.toFixed(8);
}

const UNSAFE = /[^\x20-\x7e]/u;
const EVERY_UNSAFE = new RegExp(UNSAFE, 'gu');

/** Names come from the configuration: what no header may hold is written as in a URL, half of a surrogate pair as U+FFFD. */
function headerSafe(text: string): string {
  if (!UNSAFE.test(text)) return text; // nearly always
  return text.replace(EVERY_UNSAFE, (sign) =>
    Buffer.from(sign).toString('hex').toUpperCase().replace(/../g, '%$&'),
  );
}
