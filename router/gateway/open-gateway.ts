import {
  type Access,
  type AccessOptions,
  createQueue,
  openAccess,
  openStateAccess,
  type Queue,
  requireAccess,
} from '../access/index.ts';
import type { CatalogModel, Dialect } from '../catalog/index.ts';
import { PlimsollError, type SafeError, safeError } from '../errors.ts';
import { givesLogprobs, outboundFrom, type UpstreamSettings } from '../exchange/index.ts';
import { type BreakerState, createBalancer, createFallbackChain } from '../fallback/index.ts';
import { createLatencyBook, type LatencyBook } from '../latency/index.ts';
import type { WatchAlarm } from '../monitoring/index.ts';
import { openPeople, type People } from '../people/index.ts';
import { prepareByDialect } from '../providers/index.ts';
import {
  type Activity,
  type Capture,
  createRungShares,
  type DecisionLog,
  type FeedbackDesk,
  openActivity,
  openCapture,
  openDecisionLog,
  openFeedbackDesk,
  type RequestFacts,
} from '../records/index.ts';
import type { Router } from '../router.ts';
import {
  openSessions,
  type SessionOptions,
  type Sessions,
  sessionsInCache,
  sessionsInDocuments,
} from '../sessions/index.ts';
import type { InstanceReport, Ledger, Log, State } from '../state/index.ts';
import { createBatch, type Logger, type Metrics, openRequestTelemetry } from '../telemetry/index.ts';
import { createThreads, type Threads } from '../threads/index.ts';
import { createAuditFeed } from './audit-feed.ts';
import { cascadeWarnings } from './cascade-warnings.ts';
import { checkedSettings } from './check-settings.ts';
import { failureLog, threadLog, validatorLog } from './failure-log.ts';
import { type ExperimentOptions, openGatewayExperiments } from './gateway-experiments.ts';
import type { GatewayParts, ProfileParts } from './gateway-parts.ts';
import {
  type ConfiguringRouter,
  configHash,
  fallbackModels,
  type GatewaySettings,
  keysOfProviders,
  ladderWarnings,
  type ProfileSettings,
  type ProviderKeys,
  repeatedKeyWarnings,
} from './gateway-settings.ts';
import { type GatewayState, type GatewayStateOptions, openGatewayState } from './gateway-state.ts';
import { handleRequest } from './handle-request.ts';
import { observeLatency } from './latency-feed.ts';
import { createModelIdentities } from './model-identities.ts';
import { createModelNames, type ModelNames } from './model-names.ts';
import { bookPeople } from './people-accounts.ts';
import { cascade } from './plan.ts';
import type { GatewayReply } from './reply.ts';
import { createReplyCaches, type ReplyCaches } from './reply-cache.ts';
import type { GatewayRequest } from './request.ts';
import { shadowSettings } from './shadows.ts';
import { sharedBreakers } from './shared-breakers.ts';

/** What holds for the life of the process. */
export interface GatewayOptions extends GatewayStateOptions, Pick<ExperimentOptions, 'experiments'> {
  /** Whether responses are kept, so that a request can go on from one by its id; needs a state. */
  readonly threads?: 'on' | 'off';
  readonly access: AccessOptions;
  /** The address that others reach it by: any but a loopback one needs API keys. */
  readonly server: { readonly host: string };
  readonly gateway: Parameters<typeof createQueue>[0] & Pick<GatewayParts, 'heartbeatMs'>;
  readonly upstream: GatewayStateOptions['upstream'] & Pick<UpstreamSettings, 'breaker' | 'caFile'>;
  readonly budgets: { readonly defaultMaxTokens: number };
  readonly sessions: SessionOptions;
}

/** One for the life of the process. */
export interface Gateway {
  /**
   * Takes over other settings, as a whole; requests at work end with those that they began with.
   * @throws PlimsollError `invalid-config` if a model of the ladder, a profile or a fallback is not in the catalog, or a provider's key is
   *   damaged; then nothing changes
   */
  configure(settings: GatewaySettings, router: ConfiguringRouter): void;
  handle(request: GatewayRequest, router: Router): Promise<GatewayReply>;
  /** To be called for requests that are refused before they come to `handle`. */
  refused(dialect: Dialect, status: number): void;
  /** What `model` may say. */
  names(): Pick<ModelNames, 'listed' | 'find'>;
  health(): GatewayHealth;
  /** Undefined if requests need no key. */
  readonly access: Access | undefined;
  /** Undefined if nothing is kept. */
  readonly threads: Threads | undefined;
  /** Undefined if none is taken. */
  readonly feedback: FeedbackDesk | undefined;
  /** Undefined without a state. */
  readonly people: People | undefined;
  readonly queue: Queue;
  readonly metrics: Pick<Metrics, 'exposition'>;
  /** How soon models reply. */
  readonly latency: Pick<LatencyBook, 'measured'>;
  /** What requests came to, by hour, and the last of them: for the dashboard. */
  readonly activity: Activity;
  /** Undefined if nothing needs it. */
  readonly state: State | undefined;
  /** In which limits are counted; undefined if nothing is limited. */
  readonly ledger: Ledger | undefined;
  /** Of every model that was called. */
  breakerStates(): ReadonlyMap<string, BreakerState>;
  close(): Promise<void>;
}

/** What somebody has to fix while the gateway serves: `troubles` are of anything, not of keys alone. */
export interface GatewayHealth extends Omit<ProviderKeys, 'warnings'> {
  /** What the instances behind one address serve; undefined if there is one, or it is not known. */
  readonly instances?: readonly InstanceReport[] | undefined;
}

const NO_LOGPROBS =
  'gives no log-probabilities of its tokens, and the judge of the artifact needs them: every request goes to the strongest candidate. Train the cascade on answers without them, or serve a model that gives them';

/** Metrics and decision log get requests within this. */
const RECORDED_WITHIN = { maxItems: 256, maxMs: 100 };

/**
 * Opens what lives as long as the process: connections, breakers, keys, the decision log, metrics.
 * @param onAlarm called when a model has changed under its name; undefined: that is not watched
 * @throws PlimsollError `invalid-config`, `io` or as `readKeys` does
 */
export async function openGateway(
  options: GatewayOptions,
  logger: Logger,
  onAlarm?: (alarm: WatchAlarm) => void,
): Promise<Gateway> {
  const outbound = outboundFrom(options.upstream.caFile); // may refuse: before anything is opened
  const withKeys = requireAccess(options.access, options.server.host);
  const queue = createQueue(options.gateway);
  const shared = await openGatewayState(options, withKeys, logger);
  const onBreaker = (model: string, state: BreakerState) =>
    logger.warn({ model, state }, `the breaker of ${model} is ${state}`);
  const breakers = sharedBreakers(options.upstream.breaker, onBreaker, shared.cache);
  const balancer = createBalancer();
  const opening = Promise.all([
    withKeys ? accessFor(options.access, shared.state, logger) : undefined,
    decisionLogFor(options, shared.state?.log, logger),
    captureFor(options, shared.state?.log, logger),
  ]);
  const [access, decisionLog, capture] = await opening.catch(async (error) => {
    await shared.close();
    throw error;
  });
  const sessions = await sessionsFor(options.sessions, shared, logger);
  const latency = createLatencyBook();
  const activity = openActivity({
    hourCounts: shared.state?.hourCounts,
    onFailure: (trouble) => logger.warn(trouble, 'requests cannot be counted by hour; it is tried again'),
  });
  const { metrics, genAiMetrics, traces } = await openRequestTelemetry({
    inFlight: queue.atWork,
    queued: queue.waiting,
    breakerStates: breakers.states,
    latencies: latency.all,
    busyDeployments: balancer.atWork,
    decisionLog: () => decisionLog?.counts() ?? { written: 0, dropped: 0 },
    captured: () => capture?.counts(),
    feedback: () => feedback?.counts() ?? [],
    feedbackScores: () => feedback?.scores() ?? [],
    ledger: () => shared.limiter?.counts() ?? { settled: 0, waiting: 0, dropped: 0 },
    shadows: () => experiments.shadows?.counts() ?? [],
    isStateAway: () => shared.state?.trouble() !== undefined,
  });
  const feedback =
    options.feedback && shared.state && openFeedbackDesk({ options: options.feedback, ...shared.state });
  const recorded = createBatch<RequestFacts>((batch) => {
    for (const facts of batch) {
      metrics.request(facts);
      genAiMetrics(facts);
      observeLatency(latency, facts);
      activity.record(facts);
      decisionLog?.write(facts);
    }
  }, RECORDED_WITHIN);
  const prepareUntraced = prepareByDialect(outbound);
  const prepare = traces.traced(prepareUntraced);
  const onEvent = failureLog(logger);
  const onValidatorFailed = validatorLog(logger);
  let artifactName = '';
  const identities =
    onAlarm &&
    createModelIdentities(shared.state?.documents, (message) =>
      onAlarm({ kind: 'model-changed', artifact: artifactName, message }),
    );
  const recording = {
    shares: createRungShares(),
    includePrompt: options.decisionLog?.includePrompt === true,
    observe(facts: RequestFacts) {
      feedback?.remember(facts);
      identities?.observe(facts);
      recorded.add(facts);
    },
    capture,
    feedbackToken: feedback?.token,
  };
  let served: { readonly artifact: string; readonly config: string } | undefined;
  const { state } = shared;
  const threads = options.threads === 'on' && state ? createThreads(state.documents) : undefined;
  const keeping = threads && { threads, onNotKept: threadLog(logger) };
  const audits =
    state &&
    createAuditFeed(state.log, (error) => logger.warn(error, 'audits cannot be read; it is tried again'));
  const experiments = await openGatewayExperiments(
    state,
    options,
    logger,
    onAlarm && ((message) => onAlarm({ kind: 'rolled-back', artifact: artifactName, message })),
  );
  const people =
    state &&
    openPeople({
      documents: state.documents,
      onPaid: (paid) =>
        bookPeople(paid, { metrics, activity, limiter: shared.limiter, log: state.log, logger }),
      onUndelivered: (name, why) =>
        logger.error({ people: name }, `the webhook of people.${name} was not told of a task: ${why}`),
    });
  let current: Omit<GatewayParts, 'router'> | undefined;
  let withRouter: GatewayParts | undefined;
  let caches: ReplyCaches | undefined;
  let keys: ProviderKeys = { troubles: [], warnings: [], callable: true };
  const warned = new Set<string>();

  function currentParts(): Omit<GatewayParts, 'router'> {
    if (current) return current;
    throw new PlimsollError('internal', 'The gateway was asked before it was configured.');
  }

  /** Made once: requests come with the same router until it is closed. */
  function partsWith(router: Router): GatewayParts {
    if (withRouter?.router !== router) withRouter = { ...currentParts(), router };
    return withRouter;
  }

  return {
    access,
    threads,
    feedback,
    people,
    queue,
    latency,
    activity,
    state: shared.state,
    get ledger() {
      return shared.ledger;
    },
    breakerStates: breakers.states,
    metrics: {
      exposition() {
        recorded.flush();
        return metrics.exposition();
      },
    },
    configure(settings, router) {
      const { upstream } = settings;
      const catalog = checkedSettings(settings, router, {
        stickiness: options.sessions.sticky?.stickiness,
        hasState: people !== undefined,
        hasSharedState: experiments.live !== undefined,
      });
      shared.checkLimits(settings.limits);
      people?.configure(settings.people); // may refuse: before anything is changed
      const withoutLogprobs = new Set<string>();
      const onNoLogprobs = ({ name }: CatalogModel) => {
        if (!withoutLogprobs.has(name)) logger.warn({ model: name }, `${name} ${NO_LOGPROBS}`);
        withoutLogprobs.add(name);
      };
      for (const [rung, { model: name }] of router.ladder.entries()) {
        const model = catalog.get(name);
        if (!givesLogprobs(model) && router.canJudge(rung, ['logprobs']) === false) onNoLogprobs(model);
      }
      const withVerifier = ({ verifier, ...rest }: GatewaySettings['cascade']) => ({
        ...rest,
        verifier: verifier === undefined ? undefined : catalog.get(verifier),
      });
      const ownCascade = withVerifier(settings.cascade);
      withRouter = undefined;
      const chain = createFallbackChain({
        prepare,
        settings: upstream,
        breakers,
        balancer,
        onEvent,
        latencies: latency,
      });
      const execution = { chain, onNoLogprobs, onValidatorFailed };
      const ownCaches = createReplyCaches();
      const partsOfProfile = ([name, profile]: [string, ProfileSettings]): [string, ProfileParts] => {
        const {
          cascade: judged,
          deadlineMs,
          latency: wanted,
          captureShare,
          peopleReply,
          responseCache,
        } = profile;
        const own = judged === 'off' ? ownCascade : withVerifier(judged);
        const { maxWaitMs } = own;
        return [
          name,
          {
            deadlineMs,
            latency: wanted,
            captureShare,
            peopleReply,
            cache: ownCaches.of(responseCache),
            maxWaitMs,
            cascade: judged === 'off' ? judged : own,
            execution: { ...execution, cascade: own },
          },
        ];
      };
      shared.limit(settings);
      caches?.clear(); // what another configuration or artifact replied is no reply of this one
      caches = ownCaches;
      current = {
        cache: ownCaches.of(settings.responseCache),
        catalog,
        names: createModelNames(settings.aliases, catalog, router),
        upstream,
        fallbacks: fallbackModels(upstream, catalog),
        cascade: ownCascade,
        profiles: new Map(Object.entries(settings.profiles).map(partsOfProfile)),
        latency: settings.latency,
        latencies: latency,
        heartbeatMs: options.gateway.heartbeatMs,
        limits: shared.limiter && {
          limiter: shared.limiter,
          defaultMaxTokens: options.budgets.defaultMaxTokens,
        },
        sessions,
        experiments: experiments.live,
        shadows: experiments.shadows,
        // What fails in the background opens no breaker, and is not tried again.
        shadowChain: createFallbackChain({ prepare: prepareUntraced, settings: shadowSettings(upstream) }),
        defaultMaxTokens: options.budgets.defaultMaxTokens,
        withoutLogprobs,
        onNoLogprobs,
        onValidatorFailed,
        strategy: cascade,
        chain,
        people,
        hasDeployments: catalog.models.some(({ deployments }) => deployments !== undefined),
      };
      experiments.configure(settings, router);
      audits?.follow(router.watch);
      artifactName = router.artifact.name;
      if (served !== undefined && served.artifact !== router.artifact.sha256) identities?.forget();
      served = { artifact: router.artifact.sha256, config: configHash(settings, router) };
      shared.report(() => served!);
      keys = keysOfProviders(catalog.models);
      for (const trouble of [
        ...keys.troubles,
        ...keys.warnings,
        ...repeatedKeyWarnings(settings),
        ...ladderWarnings(router, catalog),
        ...cascadeWarnings(settings, router),
      ]) {
        if (!warned.has(trouble)) logger.warn(trouble);
        warned.add(trouble);
      }
    },
    health() {
      const keysFile = access?.trouble();
      const troubles = [
        ...keys.troubles,
        ...(keysFile
          ? [`${keysFile.message ?? keysFile.error} No revocation takes effect until it can be read.`]
          : []),
        ...(decisionLog?.failing()
          ? ['The decision log cannot be written: records wait, then are dropped.']
          : []),
        ...(capture?.failing() ? ['Captured requests cannot be stored: capture pauses.'] : []),
        ...(identities?.troubles() ?? []),
        ...experiments.troubles(),
        ...shared.troubles(),
      ];
      return { troubles, callable: keys.callable, instances: shared.instances() };
    },
    handle(request, router) {
      const parts = partsWith(router);
      const span = traces.startRequest(request.operation, request.headers);
      if (span === undefined) return handleRequest(request, parts, recording, keeping);
      const observe = (facts: RequestFacts) => {
        span.end(facts);
        recording.observe(facts);
      };
      return span.run(() => handleRequest(request, parts, { ...recording, observe }, keeping));
    },
    refused: metrics.refused,
    names: () => currentParts().names,
    async close() {
      queue.close();
      caches?.clear();
      await people?.close();
      recorded.flush();
      access?.close?.();
      await Promise.all([
        capture?.close(),
        audits?.close(),
        experiments.close(),
        decisionLog?.close(),
        activity.close(),
      ]);
      await shared.close();
    },
  };
}

async function accessFor(
  { keysFile, keysInState }: AccessOptions,
  state: State | undefined,
  logger: Logger,
): Promise<Access & { close?(): void }> {
  const place = keysInState ? 'keys of the state' : 'keys file';
  const reports = {
    onFailure: (trouble: SafeError) =>
      logger.error(
        trouble,
        `the ${place} cannot be read: the keys that were read last stay in force, and no revocation takes effect`,
      ),
    onRecovery: () => logger.info(`the ${place} can be read again, and is in force`),
  };
  if (keysFile !== undefined) return openAccess({ file: keysFile, ...reports });
  return openStateAccess({ documents: state!.documents, ...reports });
}

async function decisionLogFor(
  { decisionLog: options }: GatewayOptions,
  log: Log | undefined,
  logger: Logger,
): Promise<DecisionLog | undefined> {
  if (options === undefined) return undefined;
  return openDecisionLog({
    options,
    log,
    onFailure: (trouble) =>
      logger.error(trouble, 'the decision log cannot be written: records wait, then are dropped and counted'),
  });
}

async function captureFor(
  { capture: options }: GatewayOptions,
  log: Log | undefined,
  logger: Logger,
): Promise<Capture | undefined> {
  if (options === undefined || log === undefined) return undefined;
  const onFailure = (trouble: SafeError) =>
    logger.error(trouble, 'captured requests cannot be stored: capture pauses');
  return openCapture({ options, log, onFailure });
}

/** Shared through Redis, else through the state; without either each process knows its own. */
function sessionsFor(
  options: SessionOptions,
  { cache, state }: Pick<GatewayState, 'cache' | 'state'>,
  logger: Logger,
): Promise<Sessions> {
  const { ttlMs } = options;
  return openSessions({
    options,
    shared: cache
      ? sessionsInCache(cache.values, ttlMs)
      : state && sessionsInDocuments(state.documents, ttlMs),
    onShared(isThere, error) {
      if (isThere) logger.info('sessions are shared again');
      else
        logger.warn(
          safeError(error),
          'sessions cannot be shared: this instance goes by its own until they can',
        );
    },
  });
}
