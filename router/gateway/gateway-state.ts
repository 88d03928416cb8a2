import { countsMoney, createLimiter, type Limit, type Limiter, namesKeys } from '../access/index.ts';
import { PlimsollError, safeError } from '../errors.ts';
import type { UpstreamSettings } from '../exchange/index.ts';
import { VERSION } from '../package.ts';
import type { CaptureOptions, DecisionLogOptions, FeedbackOptions } from '../records/index.ts';
import {
  type InstanceReport,
  type Instances,
  type Ledger,
  memoryLedger,
  openSharedCache,
  openState,
  pruneRegularly,
  type Retention,
  reportInstance,
  type SharedCache,
  type State,
  type StateOptions,
} from '../state/index.ts';
import type { Logger } from '../telemetry/index.ts';

/** What outlives a request, and what instances share. */
export interface GatewayStateOptions {
  readonly state?:
    | (StateOptions & { readonly retention: Retention; readonly onUnavailable: 'closed' | 'open' })
    | undefined;
  readonly redis?: { readonly url?: string | undefined; readonly urlEnv?: string | undefined } | undefined;
  readonly instances?: number | undefined;
  readonly limits: readonly Limit[];
  /** Whose times say how long a request may take. */
  readonly upstream: Pick<UpstreamSettings, 'deadlineMs' | 'timeouts'>;
  readonly decisionLog?: DecisionLogOptions | undefined;
  readonly capture?: CaptureOptions | undefined;
  readonly feedback?: FeedbackOptions | undefined;
  /** Batches are charged to the ledger whether or not anything is limited. */
  readonly batches?: object | undefined;
}

export interface GatewayState {
  /** Undefined if nothing needs it. */
  readonly state: State | undefined;
  readonly cache: SharedCache | undefined;
  /** Undefined if nothing is limited. */
  readonly limiter: Limiter | undefined;
  /** In which limits are counted; undefined if nothing is limited. */
  readonly ledger: Ledger | undefined;
  /**
   * Whether these limits can be taken without a restart.
   * @throws PlimsollError `invalid-config` if keys are limited and there are none, or money is for the first time and there is no
   *   state
   */
  checkLimits(limits: readonly Limit[]): void;
  /** Takes these limits, which were checked, from now on. */
  limit(settings: Pick<GatewayStateOptions, 'limits' | 'upstream'>): void;
  /** A sentence each for what cannot be reached, and for what instances do not agree on. */
  troubles(): string[];
  /** Begins to report what this instance serves, if there are others. @param report read at each report */
  report(report: () => Pick<InstanceReport, 'artifact' | 'config'>): void;
  /** What the instances serve; undefined if there is one, or it is not known. */
  instances(): readonly InstanceReport[] | undefined;
  close(): Promise<void>;
}

/** A reservation is ended by whoever made it within this after the longest request. */
const LEASE_SPARE_MS = 60_000;

/**
 * Opens the state and Redis, if the configuration has them, and what stands on them.
 * @param withKeys whether requests come with API keys
 * @throws PlimsollError as `openState` does; `invalid-config` if keys are limited and there are none
 */
export async function openGatewayState(
  options: GatewayStateOptions,
  withKeys: boolean,
  logger: Logger,
): Promise<GatewayState> {
  if (namesKeys(options.limits) && !withKeys) throw limitsWithoutKeys();
  const cache = await cacheFor(options, logger);
  const state = options.state && (await openState(options.state));
  if ((options.instances ?? 1) > 1) warnOfUnshared(state, cache, logger);
  const trouble = state?.trouble();
  if (trouble !== undefined) logger.error({ trouble }, 'the state cannot be used; it is tried again');
  const stopPruning =
    state &&
    pruneRegularly(state, options.state!.retention, (error) =>
      logger.warn(safeError(error), 'the state could not be pruned'),
    );
  const isOneOfMany = (options.instances ?? 1) > 1 || state?.kind === 'postgres';
  let instances: Instances | undefined;
  const ledger = state?.ledger ?? memoryLedger();
  let limiter: Limiter | undefined;
  return {
    state,
    cache,
    get limiter() {
      return limiter;
    },
    get ledger() {
      return limiter && ledger;
    },
    checkLimits(limits) {
      if (namesKeys(limits) && !withKeys) throw limitsWithoutKeys();
      const isNew = countsMoney(limits) && !countsMoney(options.limits);
      if (isNew && state === undefined) throw moneyWithoutState();
    },
    limit({ limits, upstream }) {
      const leaseMs = upstream.deadlineMs + upstream.timeouts.totalMs + LEASE_SPARE_MS;
      if (limits.length > 0 || options.batches !== undefined)
        limiter ??= createLimiter({
          limits,
          ledger,
          leaseMs,
          onUnavailable: options.state?.onUnavailable ?? 'closed',
          onFailure: (error) => logger.error(error, 'limits cannot be checked as configured'),
        });
      limiter?.configure({ limits, leaseMs });
    },
    troubles() {
      const waiting = limiter?.counts().waiting ?? 0;
      const unsettled = state?.trouble() !== undefined && waiting > 0;
      const late = unsettled ? `${waiting} entries of the ledger are not on disk yet.` : undefined;
      const parts = [state?.trouble(), cache?.trouble(), late].filter((one) => one !== undefined);
      return [...parts, ...((isOneOfMany && instances?.disagreements()) || [])];
    },
    report(report) {
      if (state === undefined) return;
      const { encryptionKeyIds } = state;
      if (!isOneOfMany && encryptionKeyIds.length === 0) return;
      const keys = encryptionKeyIds.length > 0 && { encryptionKeys: encryptionKeyIds };
      const whole = () => ({ version: VERSION, ...report(), ...keys });
      instances ??= reportInstance(state.documents, whole, options.instances ?? 1);
    },
    instances: () => (isOneOfMany ? instances?.all() : undefined),
    async close() {
      await instances?.close();
      stopPruning?.();
      await limiter?.close();
      await cache?.close();
      await state?.close();
    },
  };
}

export function limitsWithoutKeys(): PlimsollError {
  return new PlimsollError(
    'invalid-config',
    'limits names API keys or teams, and requests need no keys here. Name a file of them in access.keys_file, or take these limits out.',
    { place: { field: 'limits' } },
  );
}

function moneyWithoutState(): PlimsollError {
  return new PlimsollError(
    'invalid-config',
    'limits counts usd, which is kept in a state, and this server was started without one. Restart it.',
    { place: { field: 'limits' } },
  );
}

async function cacheFor({ redis }: GatewayStateOptions, logger: Logger): Promise<SharedCache | undefined> {
  if (redis === undefined) return undefined;
  return openSharedCache(redis, (isThere) => {
    if (isThere) logger.info('Redis is connected');
    else logger.warn('Redis cannot be reached: this instance shares no breakers and sessions until it can');
  });
}

function warnOfUnshared(state: State | undefined, cache: SharedCache | undefined, logger: Logger): void {
  if (state?.kind !== 'postgres') {
    logger.warn(
      'instances is more than 1, and the state is no PostgreSQL: other machines share nothing with this one',
    );
  }
  if (cache === undefined) {
    logger.warn('instances is more than 1, and there is no redis: each instance has breakers of its own');
  }
}
