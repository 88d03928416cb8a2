import { createQueue, requireAccess } from '../access/index.ts';
import type { CatalogModel } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import { givesLogprobs, outboundFrom } from '../exchange/index.ts';
import { type BreakerState, createBalancer, createFallbackChain } from '../fallback/index.ts';
import { createLatencyBook } from '../latency/index.ts';
import type { WatchAlarm } from '../monitoring/index.ts';
import { openPeople } from '../people/index.ts';
import { prepareByDialect } from '../providers/index.ts';
import { createRungShares, openActivity, openFeedbackDesk, type RequestFacts } from '../records/index.ts';
import type { Router } from '../router.ts';
import { createBatch, type Logger, openRequestTelemetry } from '../telemetry/index.ts';
import { createThreads } from '../threads/index.ts';
import { createAuditFeed } from './audit-feed.ts';
import { cascadeWarnings } from './cascade-warnings.ts';
import { checkedSettings } from './check-settings.ts';
import { failureLog, threadLog, validatorLog } from './failure-log.ts';
import type { Gateway, GatewayOptions } from './gateway.ts';
import { openGatewayExperiments } from './gateway-experiments.ts';
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
import { openGatewayState } from './gateway-state.ts';
import { handleRequest } from './handle-request.ts';
import { observeLatency } from './latency-feed.ts';
import { createModelIdentities } from './model-identities.ts';
import { createModelNames } from './model-names.ts';
import { accessFor, captureFor, decisionLogFor, sessionsFor } from './open-stores.ts';
import { bookPeople } from './people-accounts.ts';
import { cascade } from './plan.ts';
import { createReplyCaches, type ReplyCaches } from './reply-cache.ts';
import { rungsOf } from './selection.ts';
import { shadowSettings } from './shadows.ts';
import { sharedBreakers } from './shared-breakers.ts';

const NO_LOGPROBS =
  'gives no log-probabilities of its tokens, and the judge of the artifact needs them: every request goes to the strongest candidate. Train the cascade on answers without them, or serve a model that gives them';

/** The longest that a request waits until metrics and decision log get it. */
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
  const experiments = await openGatewayExperiments(state, options, logger, {
    async flush() {
      recorded.flush();
      await decisionLog?.flush();
    },
    onRolledBack: onAlarm && ((message) => onAlarm({ kind: 'rolled-back', artifact: artifactName, message })),
  });
  const people =
    state &&
    openPeople({
      documents: state.documents,
      onEnded: (ended) =>
        bookPeople(ended, { metrics, activity, limiter: shared.limiter, log: state.log, logger, rungsWith }),
      onUndelivered: (name, why) =>
        logger.error({ people: name }, `the webhook of people.${name} was not told of a task: ${why}`),
    });
  let current: Omit<GatewayParts, 'router'> | undefined;
  let configuring: ConfiguringRouter | undefined;
  let withRouter: GatewayParts | undefined;
  let caches: ReplyCaches | undefined;
  let keys: ProviderKeys = { troubles: [], warnings: [], callable: true };
  const warned = new Set<string>();

  /** Of people that are on no ladder, as those of a rule, they are the first. */
  function rungsWith(people: string, profile: string | undefined) {
    if (current === undefined || configuring === undefined) return [];
    const { catalog } = current;
    const ladder = rungsOf(profile, configuring).map(({ model }) => model);
    const named = ladder.includes(people) || !catalog.has(people) ? ladder : [people, ...ladder];
    return named.map((model) => ({
      price: catalog.get(model).price,
      share: recording.shares.shareOf(model),
    }));
  }

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
      caches?.clear(); // replies under another configuration or artifact are not valid for this one
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
        arrivals: experiments.arrivals,
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
      configuring = router;
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
        experiments.close(decisionLog?.close()),
        activity.close(),
      ]);
      await shared.close();
    },
  };
}
