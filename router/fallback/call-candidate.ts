import { type CatalogModel, type Deployment, placeName } from '../catalog/index.ts';
import type {
  AttemptOutcome,
  FailedAttempt,
  PrepareAttempt,
  ProviderCall,
  UnroutedCall,
} from '../exchange/index.ts';
import { type AttemptContext, attempt, MIN_ATTEMPT_MS, rethrow, timeLeft } from './attempt.ts';
import type { AttemptKind, Called } from './attempt-log.ts';
import {
  failureRule,
  isKeyFailure,
  isUndone,
  type RetryBackoff,
  remedyFor,
  retryBackoff,
} from './failure-rules.ts';
import type { KeyedModel } from './key-rotation.ts';

/** Calls one candidate: at one of its deployments after the other if it has several, until one replies or no other would do better. */
export async function callCandidate(
  context: AttemptContext,
  model: CatalogModel,
  kind: AttemptKind,
): Promise<Called> {
  if (model.deployments !== undefined) return callDeployments(context, model, model.deployments, kind);
  return { model, outcome: await callPlace(context, model, kind, true) };
}

/** A deployment that failed is not tried again while there are others: that takes less time than a wait. */
async function callDeployments(
  context: AttemptContext,
  model: CatalogModel,
  deployments: readonly Deployment[],
  firstKind: AttemptKind,
): Promise<Called> {
  const { balancer, breakers, call, use } = context;
  const mayTry = (place: CatalogModel) => breakers.of(placeName(place)).mayTry();
  const order = balancer.order({ model, deployments, call, use, mayTry });
  const others = order.filter((place) => placeName(place) !== context.avoidPlace);
  const places = others.length > 0 ? others : order;
  let ended: Called = { model, outcome: undefined };
  let kind = firstKind;
  const filtering = new Set<string>();
  for (const [i, place] of places.entries()) {
    if (filtering.has(place.provider.name)) continue;
    if (i > 0 && timeLeft(context) < MIN_ATTEMPT_MS) break;
    const isLastPlace = !places.slice(i + 1).some(mayTry);
    const outcome = await occupying(context, place, () => callPlace(context, place, kind, isLastPlace));
    if (outcome === undefined) continue;
    ended = { model: place, outcome };
    if (outcome.kind === 'reply' || !isOtherPlaceWorthIt(outcome, call)) break;
    if (remedyFor(outcome) === 'other-provider') filtering.add(place.provider.name);
    kind = 'retry';
  }
  return ended;
}

/** The deployment counts as busy until the request has ended, or until the call if it brought no reply. */
async function occupying(
  { balancer, use }: AttemptContext,
  place: Deployment,
  work: () => Promise<AttemptOutcome | undefined>,
): Promise<AttemptOutcome | undefined> {
  const leave = balancer.enter(place);
  let isHeld = false;
  try {
    const outcome = await work();
    isHeld = outcome?.kind === 'reply' && use !== undefined;
    return outcome;
  } finally {
    if (isHeld) use!.onReply(leave);
    else leave();
  }
}

function isOtherPlaceWorthIt(failed: FailedAttempt, { passed }: UnroutedCall): boolean {
  const remedy = remedyFor(failed);
  if (remedy === 'end' || remedy === 'larger-window') return false;
  return passed?.repeatable !== false || isUndone(failed.failure);
}

/**
 * Calls one candidate at one place, with each of its provider's keys in turn if there are several, and with retries. Undefined if a breaker refused. The
 * request is prepared before the breaker is asked: one that cannot be sent must not use up a probe, and is refused as such even while the
 * breaker is open.
 */
async function callPlace(
  context: AttemptContext,
  model: CatalogModel,
  firstKind: AttemptKind,
  isLastPlace: boolean,
): Promise<AttemptOutcome | undefined> {
  if (model.provider.keys !== undefined) {
    const ended = await callWithKeys(context, model, firstKind, isLastPlace);
    if (ended !== 'no-key') return ended;
  }
  const preparing = prepareFor(context, model);
  // A native request is ready at once: no turn of the event loop is spent on it.
  const prepared = preparing instanceof Promise ? await preparing : preparing;
  const outcome = await sendPrepared(context, { model, prepared, kind: firstKind, isLastPlace });
  return outcome === 'key-open' ? undefined : outcome;
}

/** `no-key`: none is set, so nothing was sent. */
async function callWithKeys(
  context: AttemptContext,
  model: CatalogModel,
  firstKind: AttemptKind,
  isLastPlace: boolean,
): Promise<AttemptOutcome | 'no-key' | undefined> {
  const usable = usableKeys(context, model);
  let next = await usable.next();
  if (next.done) return 'no-key';
  let kind = firstKind;
  let last: AttemptOutcome | undefined;
  while (!next.done) {
    const current = next.value;
    next = await usable.next();
    const isLast = next.done === true;
    const outcome = await sendPrepared(context, { ...current, model, kind, isLast, isLastPlace });
    if (outcome === 'key-open') continue;
    if (outcome?.kind !== 'failure' || !isKeyFailure(outcome)) return outcome;
    context.keys.failed(current.keyed, model, outcome);
    last = outcome;
    kind = 'retry';
    if (timeLeft(context) < MIN_ATTEMPT_MS) break;
  }
  return last;
}

/** The keys that are set, in turn. One that rests is called only if there is no other. */
async function* usableKeys(context: AttemptContext, model: CatalogModel) {
  let isAnyRested = false;
  for (const keyed of context.keys.order(model, context.call)) {
    if (keyed.breaker === context.avoid) continue;
    if (keyed.rests && isAnyRested) return;
    const prepared = await prepareFor(context, keyed.model);
    if (prepared.kind === 'failure' && prepared.unset !== undefined) continue;
    isAnyRested = true;
    yield { keyed, prepared };
  }
}

type Prepared = Awaited<ReturnType<PrepareAttempt>>;

function prepareFor({ prepare, call }: AttemptContext, model: CatalogModel): Prepared | Promise<Prepared> {
  const preparing = prepare(callOf(call, model));
  return preparing instanceof Promise ? preparing.catch((error) => rethrow(call, error)) : preparing;
}

/** Field by field: spreading an object of this size is among the most expensive lines of a request. */
function callOf(call: UnroutedCall, model: CatalogModel): ProviderCall {
  return {
    model,
    dialect: call.dialect,
    operation: call.operation,
    passed: call.passed,
    body: call.body,
    bodyText: call.bodyText,
    stream: call.stream,
    unmappable: call.unmappable,
    mappings: call.mappings,
    headers: call.headers,
    logprobs: call.logprobs,
    streamUsage: call.streamUsage,
    stored: call.stored,
    memory: call.memory,
    signal: call.signal,
  } satisfies Record<keyof ProviderCall, unknown>;
}

interface Candidate {
  readonly model: CatalogModel;
  readonly prepared: Prepared;
  readonly kind: AttemptKind;
  /** The key that it is called with, if there are several. */
  readonly keyed?: KeyedModel;
  /** There is no other key left to try. */
  readonly isLast?: boolean;
  /** There is no other deployment left to try: it is tried again after a wait. */
  readonly isLastPlace: boolean;
}

async function sendPrepared(
  context: AttemptContext,
  { model, prepared, kind: firstKind, keyed, isLast = true, isLastPlace }: Candidate,
): Promise<AttemptOutcome | 'key-open' | undefined> {
  const { clock, call, log, settings } = context;
  if (prepared.kind === 'failure') {
    log.unsent(model, firstKind, prepared, clock.now());
    return prepared;
  }
  let backoff: RetryBackoff | undefined;
  const beganAt = clock.now();
  let waitedMs: number | undefined;
  for (let kind = firstKind; ; kind = 'retry') {
    call.signal.throwIfAborted();
    const outcome = await attempt(context, { model, send: prepared.send, kind, waitedMs, keyed });
    if (outcome === undefined || outcome === 'key-open' || !mayRetry(context, model, keyed, outcome))
      return outcome;
    if (!isLastPlace || (!isLast && isKeyFailure(outcome))) return outcome;
    const retry = (firstKind !== 'fallback' && context.patience) || settings.retry;
    backoff ??= retryBackoff(retry, context.random);
    waitedMs = backoff.nextWaitMs({
      retryAfterMs: outcome.retryAfterMs,
      spentMs: clock.now() - beganAt,
      leftMs: timeLeft(context) - MIN_ATTEMPT_MS,
    });
    if (waitedMs === undefined) return outcome;
    await clock.sleep(waitedMs, call.signal);
  }
}

function mayRetry(
  { breakers, call }: AttemptContext,
  model: CatalogModel,
  keyed: KeyedModel | undefined,
  outcome: AttemptOutcome,
): outcome is FailedAttempt {
  if (outcome.kind === 'reply' || failureRule(outcome.failure).remedy !== 'retry') return false;
  if (call.passed?.repeatable === false && !isUndone(outcome.failure)) return false;
  if (keyed !== undefined && breakers.of(keyed.breaker).state() !== 'closed') return false;
  return breakers.of(placeName(model)).state() === 'closed';
}
