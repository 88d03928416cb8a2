import { type Counter, Histogram, Registry } from 'prom-client';
import { type Dialect, isTokenCount, costUsd as priced } from '../catalog/index.ts';
import { SKIPS, type Skip } from '../fallback/index.ts';
import { type CheckFacts, type RequestFacts, type SessionFacts, totalCostUsd } from '../records/index.ts';
import { counterIn, FAST_BUCKETS } from './decision-metrics.ts';
import { addScrapedMetrics, type MetricSources } from './scraped-metrics.ts';

export interface Metrics {
  /** Counts one request. What is not known is not counted. */
  request(facts: RequestFacts): void;
  /** Counts one that was refused before it was a request to route: no key, a body that cannot be read, no room. */
  refused(dialect: Dialect, status: number): void;
  /** Counts a reply of people. */
  personReplied(facts: PersonReplyFacts): void;
  /** Prometheus' text format 0.0.4. */
  exposition(): Promise<string>;
}

/** A task that people ended. */
export interface PersonReplyFacts {
  /** `human/<name>`. */
  readonly model: string;
  readonly outcome: 'answered' | 'late' | 'withdrawn';
  /** From the request to the end of the task. */
  readonly waitedMs: number;
  readonly minutes: number;
  /** Undefined if the request itself is counted with it. */
  readonly costUsd: number | undefined;
}

/**
 * The gateway's metrics, in a registry of their own. Labels have few values: models are those of the catalog, reasons, verdicts and
 * outcomes come from closed lists, and nothing that a client writes becomes one.
 *
 * `plimsoll_cost_usd_total` has all replies of known cost. To compare, take `plimsoll_compared_cost_usd_total`: it, the baseline and
 * the random cost add up the very same requests, those that were routed and whose three costs are known.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const countRequest = requestCounters(registry);
  const countAttempts = attemptCounters(registry);
  const { countCosts, cost } = costCounters(registry);
  const countPersonReply = personReplyMetrics(registry, cost);
  const observeTimes = timeHistograms(registry);
  const observeChecks = checkMetrics(registry);
  const countSession = sessionCounters(registry);
  addScrapedMetrics(registry, sources);
  const refused = counterIn(registry)(
    'plimsoll_refused_requests_total',
    'Requests refused before routing: no key, a body that cannot be read, no room. They are not in the decision log.',
    'dialect',
    'status',
  );
  return {
    exposition: () => registry.metrics(),
    personReplied: countPersonReply,
    refused: (dialect, status) => refused.inc({ dialect, status }),
    request(facts) {
      countRequest(facts);
      countAttempts(facts);
      countCosts(facts);
      observeTimes(facts);
      if (facts.check !== undefined) observeChecks(facts.check);
      if (facts.session !== undefined) countSession(facts, facts.session);
    },
  };
}

/** In place of a model: none was selected, or none replied. */
const NONE = 'none';

function requestCounters(registry: Registry): (facts: RequestFacts) => void {
  const counter = counterIn(registry);
  const requests = counter(
    'plimsoll_requests_total',
    'Requests by dialect, model chosen, model that answered, and HTTP status.',
    'dialect',
    'selected',
    'served',
    'status',
  );
  const unfinished = counter(
    'plimsoll_unfinished_answers_total',
    'Answers that broke off, or whose client left or did not read.',
    'served',
    'ended',
  );
  const uncounted = counter(
    'plimsoll_streams_without_usage_total',
    'Streams whose provider did not report their tokens, so that their cost is not known.',
    'model',
  );
  const claims = counter(
    'plimsoll_routed_answers_total',
    'Answers to routed requests, by what the verdict is worth once it is known which model answered, and why it is not PASS.',
    'verdict',
    'ungated_reason',
  );
  const refusals = counter(
    'plimsoll_refused_by_rule_total',
    'Requests that a rule of the configuration refused.',
    'rule',
  );
  return ({
    dialect,
    operation,
    stream,
    status,
    ended,
    usage,
    rule,
    decision,
    selected: { name: selected = NONE } = {},
    served: { name: served = NONE } = {},
  }) => {
    requests.inc({ dialect, selected, served, status });
    if (served !== NONE && decision !== undefined)
      claims.inc({ verdict: decision.verdict, ungated_reason: decision.ungatedReason ?? '' });
    if (rule !== undefined && decision === undefined) refusals.inc({ rule });
    if (ended !== 'whole') unfinished.inc({ served, ended });
    else if (stream && operation === 'chat' && served !== NONE && usage === undefined)
      uncounted.inc({ model: served });
  };
}

function attemptCounters(registry: Registry): (facts: RequestFacts) => void {
  const counter = counterIn(registry);
  const made = counter('plimsoll_attempts_total', 'Attempts by model and outcome.', 'model', 'outcome');
  const skips = counter(
    'plimsoll_skips_total',
    'Candidates that were not asked, and why.',
    'model',
    'reason',
  );
  const retries = counter('plimsoll_retries_total', 'Attempts that repeat one on the same model.', 'model');
  const fallbacks = counter(
    'plimsoll_fallbacks_total',
    'Attempts on another model than the chosen one.',
    'model',
  );
  const hedges = counter(
    'plimsoll_hedges_total',
    'Second attempts in parallel with a late one, by outcome: won, lost (the first one answered after all), failed.',
    'model',
    'outcome',
  );
  const deployed = counter(
    'plimsoll_deployment_attempts_total',
    'Attempts on models with several deployments, by deployment and outcome.',
    'model',
    'deployment',
    'outcome',
  );
  return ({ attempts }) => {
    for (const { model, kind, outcome, deployment } of attempts) {
      if (deployment !== undefined) deployed.inc({ model, deployment, outcome });
      if (kind === 'hedge') hedges.inc({ model, outcome: HEDGE_OUTCOMES[outcome] ?? 'failed' });
      if (isSkip(outcome)) {
        skips.inc({ model, reason: outcome });
        continue;
      }
      made.inc({ model, outcome });
      if (kind === 'retry') retries.inc({ model });
      if (kind === 'fallback') fallbacks.inc({ model });
    }
  };
}

const HEDGE_OUTCOMES: Readonly<Record<string, string>> = { answer: 'won', cancelled: 'lost' };

function isSkip(outcome: string): outcome is Skip {
  return (SKIPS as readonly string[]).includes(outcome);
}

/** Counts tokens and US dollars; what is not known is not counted. */
function costCounters(registry: Registry): {
  readonly countCosts: (facts: RequestFacts) => void;
  readonly cost: Counter<'model'>;
} {
  const counter = counterIn(registry);
  const tokensIn = counter('plimsoll_input_tokens_total', 'Tokens of prompts, cached ones too.', 'model');
  const tokensOut = counter('plimsoll_output_tokens_total', 'Tokens of answers.', 'model');
  const cached = counter(
    'plimsoll_cached_input_tokens_total',
    'Tokens of prompts that providers read from their caches.',
    'model',
  );
  const written = counter(
    'plimsoll_cache_write_input_tokens_total',
    'Tokens of prompts that providers wrote to their caches.',
    'model',
  );
  const cost = counter('plimsoll_cost_usd_total', 'US dollars that answers cost, by model.', 'model');
  const compared = counter(
    'plimsoll_compared_cost_usd_total',
    'US dollars of the routed requests that the baseline and the random cost are known for.',
  );
  const baseline = counter(
    'plimsoll_baseline_cost_usd_total',
    'ESTIMATE: US dollars of the same requests at the strongest candidate, with the same tokens.',
  );
  const random = counter(
    'plimsoll_random_cost_usd_total',
    'ESTIMATE: US dollars of the same requests at random with the same shares and tokens.',
  );
  const cacheUses = counter(
    'plimsoll_response_cache_requests_total',
    'Requests by what the cache of replies did: hit, miss, or why it was passed by.',
    'outcome',
  );
  const saved = counter(
    'plimsoll_response_cache_saved_usd_total',
    'US dollars that its hits cost when they were made.',
  );
  const countReply = (model: string, usage: RequestFacts['usage'], usd: number | undefined) => {
    // A provider may report anything: NaN would spoil a counter for good, and a negative number throws.
    if (usage && isTokenCount(usage.inputTokens) && isTokenCount(usage.outputTokens)) {
      tokensIn.inc({ model }, usage.inputTokens);
      tokensOut.inc({ model }, usage.outputTokens);
      const { cachedInputTokens, cacheWriteInputTokens } = usage;
      if (cachedInputTokens && isTokenCount(cachedInputTokens)) cached.inc({ model }, cachedInputTokens);
      if (cacheWriteInputTokens && isTokenCount(cacheWriteInputTokens))
        written.inc({ model }, cacheWriteInputTokens);
    }
    if (usd !== undefined) cost.inc({ model }, usd);
  };
  const countCosts = ({
    served,
    usage,
    costUsd,
    baselineCostUsd,
    randomCostUsd,
    check,
    cache,
    abandoned = [],
  }: RequestFacts) => {
    if (cache !== undefined) {
      cacheUses.inc({ outcome: cache.outcome });
      if (cache.savedUsd !== undefined) saved.inc(cache.savedUsd);
    }
    countReply(served?.name ?? NONE, usage, costUsd);
    for (const one of [...(check?.spent ?? []), ...abandoned])
      countReply(one.model.name, one.usage, priced(one.model.price, one.usage));
    const totalUsd = totalCostUsd(costUsd, check, abandoned);
    if (totalUsd === undefined || baselineCostUsd === undefined || randomCostUsd === undefined) return;
    compared.inc(totalUsd);
    baseline.inc(baselineCostUsd);
    random.inc(randomCostUsd);
  };
  return { countCosts, cost };
}

const SLOW_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640];

/** Seconds: from half a minute to a week. */
const WAIT_BUCKETS = [30, 60, 300, 900, 1_800, 3_600, 14_400, 86_400, 604_800];

/** What people did: apart from the times of requests, of which most are over before. */
function personReplyMetrics(registry: Registry, cost: Counter<'model'>): (facts: PersonReplyFacts) => void {
  const counter = counterIn(registry);
  const tasks = counter(
    'plimsoll_people_tasks_total',
    'Requests for people that ended: answered, late after the deadline, or withdrawn if the client left.',
    'model',
    'outcome',
  );
  const work = counter('plimsoll_people_work_seconds_total', 'Time that people were at work.', 'model');
  const wait = new Histogram({
    name: 'plimsoll_people_reply_seconds',
    help: 'From the request to the reply of a person.',
    labelNames: ['model'],
    buckets: WAIT_BUCKETS,
    registers: [registry],
  });
  return ({ model, outcome, waitedMs, minutes, costUsd }) => {
    tasks.inc({ model, outcome });
    work.inc({ model }, minutes * 60);
    if (outcome === 'answered') wait.observe({ model }, waitedMs / 1_000);
    if (costUsd !== undefined) cost.inc({ model }, costUsd);
  };
}

/** Observes what a request took, in seconds. */
function timeHistograms(registry: Registry): (facts: RequestFacts) => void {
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers: [registry] });
  const overhead = histogram('plimsoll_overhead_seconds', 'Time that Plimsoll itself added.', FAST_BUCKETS);
  const firstByte = histogram(
    'plimsoll_first_byte_seconds',
    'Time to the first byte of an answer.',
    SLOW_BUCKETS,
  );
  const duration = histogram('plimsoll_request_duration_seconds', 'Time to the last byte.', SLOW_BUCKETS);
  return ({ overheadMs, firstByteMs, durationMs }) => {
    overhead.observe(overheadMs / 1_000);
    if (firstByteMs !== undefined) firstByte.observe(firstByteMs / 1_000);
    duration.observe(durationMs / 1_000);
  };
}

/** Counts what happened to conversations. */
function sessionCounters(registry: Registry): (facts: RequestFacts, session: SessionFacts) => void {
  const counter = counterIn(registry);
  const transitions = counter(
    'plimsoll_session_requests_total',
    'Requests of sessions: the first one, the same model as before, or another.',
    'transition',
  );
  const kept = counter(
    'plimsoll_session_choices_total',
    'Requests that turn or session sent elsewhere than the policy: same-turn, same-session, session-rescue.',
    'reason',
  );
  const lost = counter(
    'plimsoll_session_switch_cost_nano_usd_total',
    'ESTIMATE: nano-USD of prompt caches that changes of the model lost.',
  );
  return ({ decision, reason }, { transition, switchCostNanoUsd }) => {
    if (transition !== undefined) transitions.inc({ transition });
    if (decision?.policyChoice !== undefined) kept.inc({ reason });
    if (transition === 'switch' && switchCostNanoUsd !== undefined) lost.inc(switchCostNanoUsd);
  };
}

/** Counts looks at replies before they go out. */
function checkMetrics(registry: Registry): (check: CheckFacts) => void {
  const checks = counterIn(registry)(
    'plimsoll_cascade_checks_total',
    'Answers of models below the strongest that were to be judged: accepted, or why the request escalated.',
    'model',
    'outcome',
  );
  const seconds = new Histogram({
    name: 'plimsoll_cascade_check_seconds',
    help: 'Time until the last answer of a model below the strongest was judged.',
    buckets: SLOW_BUCKETS,
    registers: [registry],
  });
  return (check) => {
    for (const { model, escalated = 'accepted' } of [...check.earlier, check])
      checks.inc({ model: model.name, outcome: escalated });
    seconds.observe(check.ms / 1_000);
  };
}
