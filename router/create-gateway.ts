import { LightAbortSignal } from './abort-signal.ts';
import { type Catalog, createCatalog, placesOf } from './catalog/index.ts';
import type { Config } from './config/index.ts';
import { createRouter } from './create-router.ts';
import { PlimsollError } from './errors.ts';
import { type Gateway, type GatewayReply, openGateway } from './gateway/index.ts';
import { defaultBudgetBytes, MemoryBudget } from './memory-budget.ts';
import { PROFILE_HEADER, profileInHeader } from './profile-choice.ts';
import { requestTags, requestTask, TAGS_HEADER, TASK_HEADER } from './request-tags.ts';
import type { Router } from './router.ts';
import type { EmbeddedGateway } from './serving.ts';
import { withEfforts } from './targets/index.ts';
import { createLogger, type Logger } from './telemetry/index.ts';

/** @throws PlimsollError if the configuration or the artifact is wrong */
export async function createGateway(config: Config): Promise<EmbeddedGateway> {
  const logger = gatewayLogger(config);
  const unguarded = { access: { required: false }, server: { host: '127.0.0.1' } } as const;
  const gateway = await openGateway({ ...config, ...unguarded }, logger);
  const router = await openRouter(config, gateway);
  return {
    router,
    respond: responder(config, gateway, router),
    async close() {
      await gateway.close();
      await router.close();
    },
  };
}

/** The models of a configuration, called by their names. */
export interface ModelClient extends Pick<EmbeddedGateway, 'respond' | 'close'> {
  readonly catalog: Catalog;
}

/**
 * Calls models by `<provider>/<model>` with the retries and circuit breakers of the gateway. Nothing is routed, so it needs no artifact; nothing
 * is kept of a request: no decision log, no sessions.
 * @throws PlimsollError `invalid-config`
 */
export async function openModelClient(config: Config): Promise<ModelClient> {
  const { decisionLog: _, state: _state, redis: _redis, ...rest } = config;
  const own = {
    ...rest,
    threads: 'off',
    aliases: {},
    profiles: {},
    rules: [],
    experiments: [],
    limits: config.limits.filter(({ for: { key, team } }) => key === undefined && team === undefined), // nobody calls by a key
    cascade: { ...config.cascade, verifier: undefined },
    access: { required: false },
    server: { ...config.server, host: '127.0.0.1' },
  } as const;
  const gateway = await openGateway(own, gatewayLogger(config));
  try {
    gateway.configure(own, NO_ROUTER);
  } catch (error) {
    await gateway.close();
    throw error;
  }
  return {
    catalog: withEfforts(createCatalog(own)),
    respond: responder(config, gateway, NO_ROUTER),
    close: () => gateway.close(),
  };
}

const NO_POLICY = { name: 'none', version: 1, sha256: '', threshold: null } as const;

/** Has no rungs and refuses to route. */
const NO_ROUTER: Router = {
  artifact: { name: 'none', sha256: '', created: '' },
  ladder: [],
  stale: false,
  profiles: new Map(),
  artifacts: [],
  policies: [],
  watch: undefined,
  defaultPolicy: NO_POLICY,
  rules: [],
  ruled: refuseToRoute,
  competingTask: () => undefined,
  canJudge: () => undefined,
  judgeUses: () => false,
  judgeGaps: [],
  standing: refuseToRoute,
  verdict: refuseToRoute,
  check: refuseToRoute,
  route: async () => refuseToRoute(),
  routeForCheck: async () => refuseToRoute(),
  explain: async () => refuseToRoute(),
  decideAgain: refuseToRoute,
  checkGolden: async () => true,
  health: refuseToRoute,
  close: async () => {},
};

function refuseToRoute(): never {
  throw new PlimsollError('invalid-input', 'Nothing is routed here: name a model as <provider>/<model>.', {
    place: { field: 'model' },
  });
}

function responder(config: Config, gateway: Gateway, router: Router): EmbeddedGateway['respond'] {
  const budget = new MemoryBudget(config.server.maxBytesAtWork ?? defaultBudgetBytes());
  return async (body, options = {}) => {
    const { dialect = 'openai', operation = 'chat', headers = {}, signal = new LightAbortSignal() } = options;
    const tags = requestTags(headers[TAGS_HEADER]);
    const task = requestTask(headers[TASK_HEADER]);
    const profile = profileInHeader(headers[PROFILE_HEADER]);
    const memory = budget.share();
    const request = {
      dialect,
      operation,
      body,
      bodyText: JSON.stringify(body),
      headers,
      memory,
      signal,
      keyId: undefined,
      tags,
      task,
      profile,
      startedMs: performance.now(),
    };
    try {
      return responseFrom(await gateway.handle(request, router), () => memory.release());
    } catch (error) {
      memory.release();
      throw error;
    }
  };
}

async function openRouter(config: Config, gateway: Gateway): Promise<Router> {
  let router: Router | undefined;
  try {
    router = await createRouter(config);
    gateway.configure(config, router);
    return router;
  } catch (error) {
    await gateway.close();
    await router?.close();
    throw error;
  }
}

function responseFrom({ status, headers, body, finished }: GatewayReply, release: () => void): Response {
  if (body instanceof Uint8Array) {
    finished('whole');
    release();
    return new Response(body, { status, headers });
  }
  return new Response(ReadableStream.from(reported(body, finished, release)), { status, headers });
}

/** The pieces of a body, whose end is reported. */
async function* reported(
  body: AsyncIterable<Uint8Array>,
  finished: GatewayReply['finished'],
  release: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
    finished('whole');
  } catch (error) {
    finished('broken');
    throw error;
  } finally {
    finished('client-left'); // no-op after the others
    release();
  }
}

/** A log without the providers' keys. */
export function gatewayLogger(config: Config): Logger {
  return createLogger(config.logLevel, undefined, () => providerKeys(config));
}

function providerKeys({ providers, models }: Config): string[] {
  const named = createCatalog({ providers, models })
    .models.flatMap(placesOf)
    .flatMap(({ provider }) => (provider.keys ?? [provider]).map(({ apiKeyEnv }) => apiKeyEnv));
  return [...new Set(named)].flatMap((name) => (name && process.env[name]?.trim()) || []);
}
