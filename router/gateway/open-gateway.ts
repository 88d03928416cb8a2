import {
  type Access,
  type AccessOptions,
  createQueue,
  openAccess,
  type Queue,
  requireAccess,
} from '../access/index.ts';
import type { Dialect } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import { createCircuitBreakers, createFallbackChain } from '../fallback/index.ts';
import { prepareByDialect } from '../providers/index.ts';

import {
  createBatch,
  createRungShares,
  type DecisionLog,
  type DecisionLogOptions,
  openDecisionLog,
  type RequestFacts,
} from '../records/index.ts';
import type { Router } from '../router.ts';
import {
  createGenAiMetrics,
  createMetrics,
  createTraces,
  type Logger,
  type Metrics,
} from '../telemetry/index.ts';
import { faultLog } from './fault-log.ts';
import { answer, type GatewayParts } from './gateway.ts';
import { type GatewayHealth, keysOfProviders } from './gateway-health.ts';
import type { ModelNames } from './model-names.ts';
import type { GatewayAnswer, GatewayRequest } from './requests.ts';
import { type ConfiguringRouter, type GatewaySettings, settingsOf } from './settings.ts';

/** What holds for the life of the process. */
export interface GatewayOptions {
  readonly access: AccessOptions;
  /** The address that others reach it by: any but a loopback one needs API keys. */
  readonly server: { readonly host: string };
  readonly gateway: Parameters<typeof createQueue>[0];
  readonly upstream: Pick<GatewaySettings['upstream'], 'breaker'>;
  readonly decisionLog?: DecisionLogOptions | undefined;
}

/** The gateway as the server uses it: one for the life of the process. */
export interface Gateway {
  /**
   * Takes over another configuration, as a whole; requests at work end with the one that they began with.
   * @throws PlimsollError `invalid-config` where a model of the ladder, a profile or a fallback is not in the catalog; then nothing changes
   */
  configure(settings: GatewaySettings, router: ConfiguringRouter): void;
  answer(request: GatewayRequest, router: Router): Promise<GatewayAnswer>;
  /** To be told of requests that are refused before they come to `answer`. */
  refused(dialect: Dialect, status: number): void;
  /** What `model` may say. */
  names(): Pick<ModelNames, 'listed' | 'find'>;
  health(): GatewayHealth;
  /** Undefined where requests need no key. */
  readonly access: Access | undefined;
  readonly queue: Queue;
  readonly metrics: Pick<Metrics, 'exposition'>;
  close(): Promise<void>;
}

type Configured = Omit<GatewayParts, 'router'>;

/** Metrics and decision log are told of requests within this. */
const TOLD_WITHIN = { maxItems: 256, maxMs: 100 };

/**
 * Opens what lives as long as the process: connections, breakers, keys, the decision log, metrics.
 * @throws PlimsollError `invalid-config`, `io` or as `readKeys` does
 */
export async function openGateway(options: GatewayOptions, logger: Logger): Promise<Gateway> {
  const needsKey = requireAccess(options.access, options.server.host);
  const access = needsKey
    ? openAccess({
        file: options.access.keysFile!,
        onBroken: (trouble) =>
          logger.error(
            trouble,
            'the keys file cannot be read: the keys that were read last stay in force, and no revocation takes effect',
          ),
        onMended: () => logger.info('the keys file can be read again, and is in force'),
      })
    : undefined;
  const queue = createQueue(options.gateway);
  const breakers = createCircuitBreakers(options.upstream.breaker, (model, state) =>
    logger.warn({ model, state }, `the breaker of ${model} is ${state}`),
  );
  const decisionLog = await decisionLogOf(options, logger);
  const metrics = createMetrics({
    inFlight: queue.atWork,
    queued: queue.waiting,
    breakerStates: breakers.states,
    decisionLog: () => decisionLog?.counts() ?? { written: 0, dropped: 0 },
  });
  const traces = createTraces();
  const genAiMetrics = createGenAiMetrics();
  const told = createBatch<RequestFacts>((all) => {
    for (const facts of all) {
      metrics.request(facts);
      genAiMetrics(facts);
      decisionLog?.write(facts);
    }
  }, TOLD_WITHIN);
  const prepare = traces.traced(prepareByDialect());
  const shares = createRungShares();
  const onEvent = faultLog(logger);
  let configured: Configured | undefined;
  let keys: GatewayHealth = { troubles: [], callable: true };
  const warned = new Set<string>();
  return {
    access,
    queue,
    metrics: {
      exposition() {
        told.flush();
        return metrics.exposition();
      },
    },
    configure(next, router) {
      const settings = settingsOf(next, router);
      const chain = createFallbackChain({ prepare, settings: settings.upstream, breakers, onEvent });
      configured = { ...settings, chain };
      keys = keysOfProviders(settings.catalog.models);
      for (const trouble of keys.troubles) {
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
        ...(decisionLog?.failing() ? ['The decision log cannot be written: records are dropped.'] : []),
      ];
      return { troubles, callable: keys.callable };
    },
    answer(request, router) {
      const parts = required(configured);
      const span = traces.startRequest(request.operation, request.headers);
      return span.run(() =>
        answer(request, {
          parts: () => ({ ...parts, router }),
          shares,
          includePrompt: options.decisionLog?.includePrompt === true,
          observe(facts) {
            span.end(facts);
            told.add(facts);
          },
        }),
      );
    },
    refused: metrics.refused,
    names: () => required(configured).names,
    async close() {
      queue.close();
      told.flush();
      await decisionLog?.close();
    },
  };
}

function required(configured: Configured | undefined): Configured {
  if (configured) return configured;
  throw new PlimsollError('internal', 'The gateway was asked before it was configured.');
}

async function decisionLogOf(
  { decisionLog: options }: GatewayOptions,
  logger: Logger,
): Promise<DecisionLog | undefined> {
  if (options === undefined) return undefined;
  return openDecisionLog({
    options,
    onFailure: (trouble) =>
      logger.error(trouble, 'the decision log cannot be written: records are dropped and counted'),
  });
}
