import { type DecisionRecord, decisionRecord, outcomeOf, type RequestFacts } from '../records/index.ts';
import { DASH, duration, usd } from './format.ts';

/** What to show of the requests; undefined fields let all through. */
export interface LiveFilter {
  readonly profile?: string | undefined;
  readonly model?: string | undefined;
  readonly reason?: string | undefined;
  readonly verdict?: string | undefined;
  readonly session?: string | undefined;
}

export const FILTER_FIELDS = ['profile', 'model', 'reason', 'verdict', 'session'] as const;

const LONGEST_FILTER = 300;

/** Empty and overlong values filter nothing. */
export function filterFrom(query: URLSearchParams): LiveFilter {
  const given = FILTER_FIELDS.flatMap((field) => {
    const value = query.get(field)?.slice(0, LONGEST_FILTER);
    return value ? [[field, value]] : [];
  });
  return Object.fromEntries(given);
}

export function passes(facts: RequestFacts, filter: LiveFilter): boolean {
  const { profile, model, reason, verdict, session } = filter;
  return (
    (profile === undefined || (facts.profile ?? 'default') === profile) &&
    (model === undefined || facts.served?.name === model || facts.selected?.name === model) &&
    (reason === undefined || facts.reason === reason) &&
    (verdict === undefined || facts.decision?.verdict === verdict) &&
    (session === undefined || facts.session?.id === session)
  );
}

/** One request in the list; each is text, for the server's page and for the script alike. */
export interface LiveRow {
  readonly id: string;
  readonly time: string;
  readonly model: string;
  /** For routed requests: whether the choice went above the cheapest rung. */
  readonly rung: string;
  readonly outcome: string;
  readonly reason: string;
  readonly verdict: string;
  readonly profile: string;
  readonly cost: string;
  readonly added: string;
  readonly total: string;
}

export const COLUMNS: readonly (readonly [keyof LiveRow, string])[] = [
  ['time', 'Time'],
  ['model', 'Model'],
  ['rung', 'Rung'],
  ['outcome', 'Outcome'],
  ['reason', 'Why'],
  ['verdict', 'Verdict'],
  ['profile', 'Profile'],
  ['cost', 'Cost'],
  ['added', 'Added'],
  ['total', 'Whole'],
];

export function liveRow(facts: RequestFacts): LiveRow {
  const record = recordOf(facts);
  return {
    id: facts.id,
    time: facts.startedAt.toISOString().slice(11, 19),
    model: facts.served?.name ?? facts.selected?.name ?? DASH,
    rung: facts.decision === undefined ? DASH : facts.decision.escalated ? 'stronger' : 'cheapest',
    outcome: outcomeWords(facts),
    reason: facts.reason,
    verdict: facts.decision?.verdict ?? DASH,
    profile: facts.profile ?? DASH,
    cost: usd(record.cost_usd),
    added: duration(facts.overheadMs),
    total: duration(facts.durationMs),
  };
}

/** The record of the decision log, never with its prompt. */
export function recordOf(facts: RequestFacts): DecisionRecord {
  return decisionRecord(facts, { includePrompt: false });
}

function outcomeWords(facts: RequestFacts): string {
  const outcome = outcomeOf(facts);
  return outcome === 'replied' ? 'replied' : `${outcome} (${facts.status})`;
}
