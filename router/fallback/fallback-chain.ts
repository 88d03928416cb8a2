import { type CatalogModel, placeName, placesOf } from '../catalog/index.ts';
import type { AttemptOutcome, PrepareAttempt, UnroutedCall, UpstreamSettings } from '../exchange/index.ts';
import { createLatencyBook, type LatencyBook } from '../latency/index.ts';
import { type AttemptContext, MIN_ATTEMPT_MS, timeLeft } from './attempt.ts';
import {
  type AttemptKind,
  AttemptLog,
  type AttemptRecord,
  type Called,
  type ClientFailure,
  type FallbackEvent,
} from './attempt-log.ts';
import { type Balancer, createBalancer, type DeploymentUse } from './balancer.ts';
import { callCandidate } from './call-candidate.ts';
import { type CandidateFilter, createCandidateFilter } from './candidates.ts';
import { type BreakerState, type CircuitBreakers, createCircuitBreakers } from './circuit-breaker.ts';
import { type Clock, monotonicClock, remedyFor } from './failure-rules.ts';
import { createHedging, decides, type Hedging, isLate, Lane, mayHedge, type Settled } from './hedging.ts';
import { KeyRotation } from './key-rotation.ts';

export type FallbackResult =
  | {
      readonly kind: 'reply';
      readonly model: CatalogModel;
      readonly outcome: Extract<AttemptOutcome, { kind: 'reply' }>;
      readonly attempts: readonly AttemptRecord[];
      readonly abandoned?: Abandoned;
    }
  | {
      readonly kind: 'failure';
      readonly failure: ClientFailure;
      readonly attempts: readonly AttemptRecord[];
      readonly abandoned?: Abandoned;
      /** When another try may succeed, in ms from now; undefined if nothing is known. */
      readonly retryAfterMs?: number;
      /** The request itself is at fault: no other candidate is worth a call. */
      readonly final?: true;
    };

/** Models of attempts that were given up because another one ended first: they cost what nobody says. Left out if there are none. */
type Abandoned = readonly CatalogModel[];

/** How the candidates of one request are called. */
export interface ChainOptions {
  /**
   * The first candidate is tried again for so long after its first attempt, however often, in place of `retry.maxRetries` and
   * `retry.budgetMs`: the request can wait. In ms.
   */
  readonly patienceMs?: number | undefined;
  /**
   * Those of the candidates that may get a second attempt while the first one is late, in order, besides the first one with another key. None
   * may be cheaper than it. Undefined: no second attempt.
   */
  readonly hedgeAmong?: readonly CatalogModel[] | undefined;
  /** Called when a second attempt begins, with its model. Must not throw. */
  readonly onHedge?: ((model: CatalogModel) => void) | undefined;
  /** How models with several deployments are called. */
  readonly deployments?: DeploymentUse | undefined;
  /** Candidates, or deployments of them, that a limit without room left out: for the record. */
  readonly leftOut?: readonly CatalogModel[] | undefined;
}

/** One request, whose candidates may be called in several steps. Its attempts are in one list. */
export interface FallbackRun {
  /**
   * Calls candidates in order until one replies. Rejects as `FallbackChain.execute` does.
   * @param kind of the first candidate's first attempt. `fallback`: those before failed, and what cannot do better is skipped; `escalation`:
   *   the reply before was not good enough, which says nothing about these candidates; nor do calls for the other kinds
   */
  call(
    call: UnroutedCall,
    candidates: readonly CatalogModel[],
    deadline: number,
    kind: Exclude<AttemptKind, 'retry' | 'probe'>,
  ): Promise<FallbackResult>;
}

/** Calls candidates in order until one replies. */
export interface FallbackChain {
  /**
   * Rejects only with the reason of `call.signal` once that is aborted; everything else is a result.
   * @param candidates the routed model first, then its fallbacks, as returned by `candidatesFor`
   * @param deadline when the request must have ended, in ms of the chain's clock: `performance.now() + deadlineMs`
   */
  execute(
    call: UnroutedCall,
    candidates: readonly CatalogModel[],
    deadline: number,
    options?: ChainOptions,
  ): Promise<FallbackResult>;
  /** The same in several steps. */
  start(options?: ChainOptions): FallbackRun;
  /** By model; only models that have been called. */
  breakerStates(): ReadonlyMap<string, BreakerState>;
}

interface FallbackChainOptions {
  readonly prepare: PrepareAttempt;
  readonly settings: UpstreamSettings;
  /** How soon models reply. Needed if `settings` has hedges. */
  readonly latencies?: LatencyBook | undefined;
  /** Those of an earlier chain, so that what is open stays open; their own listener then reports changes, and `onEvent` does not. */
  readonly breakers?: CircuitBreakers;
  /** That of an earlier chain, so that it knows what is at work. */
  readonly balancer?: Balancer;
  readonly clock?: Clock;
  /** Uniform in [0, 1): the jitter of waits. */
  readonly random?: () => number;
  /** Called at the end of every attempt; must not throw. */
  readonly onEvent?: (event: FallbackEvent) => void;
}

/**
 * Calls candidates in order until one replies: retries the same candidate after transient failures, falls back to the next after others,
 * skips those whose breaker is open, that are too expensive or that cannot do what is asked. Attempts are bounded by candidates *
 * (1 + maxRetries), waits by candidates * budgetMs, everything by the deadline. Nothing is tried once a reply has begun: a later failure
 * is thrown by the reply's body.
 */
export function createFallbackChain(options: FallbackChainOptions): FallbackChain {
  const { prepare, settings, clock = monotonicClock, random = Math.random, onEvent = () => {} } = options;
  const breakers =
    options.breakers ??
    createCircuitBreakers(settings.breaker, (model, state) => onEvent({ kind: 'breaker', model, state }));
  const keys = new KeyRotation(settings.breaker, clock);
  const balancer = options.balancer ?? createBalancer();
  const hedging =
    settings.hedge && createHedging(settings.hedge, options.latencies ?? createLatencyBook(clock.now));
  const start = ({
    patienceMs,
    hedgeAmong,
    onHedge,
    deployments: use,
    leftOut = NOBODY,
  }: ChainOptions = NO_OPTIONS): FallbackRun => {
    const log = new AttemptLog(onEvent);
    for (const model of leftOut) log.skipped(model, 'first', 'skipped-limit');
    const patience =
      patienceMs === undefined
        ? undefined
        : { ...settings.retry, maxRetries: Number.POSITIVE_INFINITY, budgetMs: patienceMs };
    let filter: CandidateFilter | undefined;
    return {
      call(call, candidates, deadline, kind) {
        const context: AttemptContext = {
          prepare,
          settings,
          breakers,
          keys,
          balancer,
          use,
          clock,
          random,
          call,
          deadline,
          log,
          patience,
        };
        const hedge =
          hedging && hedgeAmong && HEDGED_KINDS.includes(kind) && mayHedge(call, candidates, hedgeAmong)
            ? { hedging, among: candidates.filter((model) => isAmong(hedgeAmong, model)), onHedge }
            : undefined;
        if (kind !== 'fallback' || filter === undefined) {
          filter = createCandidateFilter(candidates[0], settings.maxFallbackPriceFactor);
        }
        return firstReply(context, candidates, kind, filter, hedge);
      },
    };
  };
  return {
    breakerStates: () => breakers.states(),
    execute: (call, candidates, deadline, options) =>
      start(options).call(call, candidates, deadline, 'first'),
    start,
  };
}

const NO_OPTIONS: ChainOptions = {};
const NOBODY: readonly CatalogModel[] = [];

/** For a first call only: calls that judge a reply or follow a failure make one attempt at a time. */
const HEDGED_KINDS: readonly AttemptKind[] = ['first', 'escalation'];

/** What a second attempt takes. */
interface HedgeOptions {
  readonly hedging: Hedging;
  readonly among: readonly CatalogModel[];
  readonly onHedge: ChainOptions['onHedge'];
}

async function firstReply(
  context: AttemptContext,
  candidates: readonly CatalogModel[],
  firstKind: AttemptKind,
  filter: CandidateFilter,
  hedge: HedgeOptions | undefined,
): Promise<FallbackResult> {
  const { log, clock } = context;
  const [first] = candidates;
  let hedged: string | undefined;
  for (const model of candidates) {
    if (model.name === hedged) continue;
    const kind = model === first ? firstKind : 'fallback';
    const skip = filter.skip(model);
    if (skip) {
      log.skipped(model, kind, skip);
      continue;
    }
    if (timeLeft(context) < MIN_ATTEMPT_MS) break;
    if (hedge !== undefined && model === first) {
      const raced = await callHedged(context, model, kind, filter, hedge);
      for (const called of raced) {
        const end = endOf(log, called, filter);
        if (end !== undefined) return end;
        if (called.model.name !== model.name) hedged = called.model.name;
      }
      continue;
    }
    const end = endOf(log, await callCandidate(context, model, kind), filter);
    if (end !== undefined) return end;
  }
  const deadlinePassed = timeLeft(context) < MIN_ATTEMPT_MS;
  return { kind: 'failure', ...log.conclusion(clock.now(), deadlinePassed), ...whatIsKnown(log) };
}

/** The result if nothing else is called after this outcome. */
function endOf(
  log: AttemptLog,
  { model, outcome }: Called,
  filter: CandidateFilter,
): FallbackResult | undefined {
  const { attempts, abandoned } = log;
  if (outcome?.kind === 'reply') {
    return abandoned.length === 0
      ? { kind: 'reply', model, outcome, attempts }
      : { kind: 'reply', model, outcome, attempts, abandoned };
  }
  if (outcome === undefined) return undefined;
  if (remedyFor(outcome) === 'end') {
    return { kind: 'failure', failure: log.refusal(outcome), final: true, ...whatIsKnown(log) };
  }
  filter.noteFailure(model, outcome);
  return undefined;
}

function whatIsKnown({ attempts, abandoned }: AttemptLog) {
  return abandoned.length === 0 ? { attempts } : { attempts, abandoned };
}

/**
 * Calls a candidate and, if it is late, another place beside it; the first that replies wins, and the other one's connection is closed. A reply
 * has not begun to go out before this returns, so the client sees one of them.
 * @returns what counts, in order: the reply alone, or the failures of both
 */
async function callHedged(
  context: AttemptContext,
  model: CatalogModel,
  kind: AttemptKind,
  filter: CandidateFilter,
  { hedging, among, onHedge }: HedgeOptions,
): Promise<readonly Called[]> {
  const { call, clock, log } = context;
  hedging.counts();
  const afterMs = hedging.afterMs(model, call.stream);
  if (afterMs === undefined) return [await callCandidate(context, model, kind)];
  const lane = new Lane(call.signal);
  const first = lane.settled(callCandidate(inLane(context, lane), model, kind));
  const target = (await isLate(first, lane, afterMs, clock))
    ? hedgeTarget(context, model, lane, among, filter)
    : undefined;
  if (target === undefined || !hedging.take()) return [called(await first)];
  onHedge?.(target);
  const otherLane = new Lane(call.signal);
  const hedge = hedgeContext(context, otherLane, lane);
  const other = otherLane.settled(callCandidate(hedge, target, 'hedge'));
  const won = await Promise.race([
    first.then((end) => ({ end, rest: other, loser: otherLane })),
    other.then((end) => ({ end, rest: first, loser: lane })),
  ]);
  if (decides(won.end)) {
    won.loser.giveUp(log, clock);
    return [called(won.end)];
  }
  const last = await won.rest;
  return decides(last) ? [called(last)] : [called(won.end), called(last)];
}

function called(end: Settled): Called {
  if ('error' in end) throw end.error;
  return end;
}

function inLane(context: AttemptContext, lane: Lane): AttemptContext {
  return { ...context, lane, call: { ...context.call, signal: lane.signal } };
}

/** A second request with the same idempotency key would be a fault to a provider that keeps them. */
function hedgeContext(context: AttemptContext, lane: Lane, { atWork }: Lane): AttemptContext {
  const { 'idempotency-key': _, ...headers } = context.call.headers;
  const avoid = atWork?.place;
  const avoidPlace = atWork && placeName(atWork.model);
  return { ...context, lane, avoid, avoidPlace, call: { ...context.call, headers, signal: lane.signal } };
}

/** The same model with another key that does not rest or at another deployment, else the next model that is not skipped and whose breaker is closed. */
function hedgeTarget(
  { keys, call, breakers, deadline, clock }: AttemptContext,
  model: CatalogModel,
  { atWork }: Lane,
  among: readonly CatalogModel[],
  filter: CandidateFilter,
): CatalogModel | undefined {
  if (deadline - clock.now() < MIN_ATTEMPT_MS || atWork === undefined) return undefined;
  if (atWork.place !== undefined) {
    const others = keys.order(model, call).filter((one) => one.breaker !== atWork.place && !one.rests);
    if (others.length > 0) return model;
  }
  const isClosed = (place: CatalogModel) => breakers.of(placeName(place)).state() === 'closed';
  const atPlace = placeName(atWork.model);
  if (model.deployments?.some((place) => placeName(place) !== atPlace && isClosed(place))) return model;
  return among.find(
    (one) => one.name !== model.name && filter.skip(one) === undefined && placesOf(one).some(isClosed),
  );
}

/** By name: a limit may have left out some of the deployments of a candidate. */
function isAmong(models: readonly CatalogModel[], { name }: CatalogModel): boolean {
  return models.some((one) => one.name === name);
}
