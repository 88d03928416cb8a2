import type { Registry } from 'prom-client';
import { SKIPS, type Skip } from '../../fallback/index.ts';
import type { RequestFacts } from '../../records/index.ts';
import { counterIn } from './counter-in.ts';

/** Where there is no such model: nobody was selected, or nobody answered. */
export const NONE = 'none';

/** Counts requests and attempts. */
export function requestCounters(registry: Registry): (facts: RequestFacts) => void {
  const counters = countersIn(registry);
  return (facts) => {
    countRequest(counters, facts);
    countAttempts(counters, facts);
  };
}

function countersIn(registry: Registry) {
  const counter = counterIn(registry);
  return {
    requests: counter(
      'plimsoll_requests_total',
      'Requests by dialect, model chosen, model that answered, and HTTP status.',
      'dialect',
      'selected',
      'served',
      'status',
    ),
    unfinished: counter(
      'plimsoll_unfinished_answers_total',
      'Answers that broke off, or whose client left or did not read.',
      'served',
      'ended',
    ),
    attempts: counter('plimsoll_attempts_total', 'Attempts by model and outcome.', 'model', 'outcome'),
    skips: counter('plimsoll_skips_total', 'Candidates that were not asked, and why.', 'model', 'reason'),
    retries: counter('plimsoll_retries_total', 'Attempts that repeat one on the same model.', 'model'),
    fallbacks: counter('plimsoll_fallbacks_total', 'Attempts on another model than the chosen one.', 'model'),
  };
}

function countRequest(counters: ReturnType<typeof countersIn>, facts: RequestFacts): void {
  const { dialect, status, ended } = facts;
  const [selected, served] = [facts.selected?.name ?? NONE, facts.served?.name ?? NONE];
  counters.requests.inc({ dialect, selected, served, status });
  if (ended !== 'whole') counters.unfinished.inc({ served, ended });
}

function countAttempts(counters: ReturnType<typeof countersIn>, { attempts }: RequestFacts): void {
  for (const { model, kind, outcome } of attempts) {
    if (isSkip(outcome)) {
      counters.skips.inc({ model, reason: outcome });
      continue;
    }
    counters.attempts.inc({ model, outcome });
    if (kind === 'retry') counters.retries.inc({ model });
    if (kind === 'fallback') counters.fallbacks.inc({ model });
  }
}

function isSkip(outcome: string): outcome is Skip {
  return (SKIPS as readonly string[]).includes(outcome);
}
