import { type Access, type AccessOptions, openAccess, openStateAccess } from '../access/index.ts';
import { type SafeError, safeError } from '../errors.ts';
import { type Capture, type DecisionLog, openCapture, openDecisionLog } from '../records/index.ts';
import {
  openSessions,
  type SessionOptions,
  type Sessions,
  sessionsInCache,
  sessionsInDocuments,
} from '../sessions/index.ts';
import type { Log, State } from '../state/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { GatewayOptions } from './gateway.ts';
import type { GatewayState } from './gateway-state.ts';

/* Keys, decision log, captured requests and sessions: opened where they are kept; failures go to the log. */

export async function accessFor(
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

export async function decisionLogFor(
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

export async function captureFor(
  { capture: options }: GatewayOptions,
  log: Log | undefined,
  logger: Logger,
): Promise<Capture | undefined> {
  if (options === undefined || log === undefined) return undefined;
  const onFailure = (trouble: SafeError) =>
    logger.error(trouble, 'captured requests cannot be stored: capture pauses');
  return openCapture({ options, log, onFailure });
}

/** Shared through Redis, else through the state; without either, each process has its own. */
export function sessionsFor(
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
