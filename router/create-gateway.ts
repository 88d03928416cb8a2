import { LightAbortSignal } from './abort-signal.ts';
import { createCatalog } from './catalog/index.ts';
import type { Config } from './config/index.ts';
import { createRouter } from './create-router.ts';
import { type Gateway, type GatewayReply, openGateway } from './gateway/index.ts';
import { defaultBudgetBytes, MemoryBudget } from './memory-budget.ts';
import type { Router } from './router.ts';
import type { EmbeddedGateway } from './serving.ts';
import { createLogger, type Logger } from './telemetry/index.ts';

/** @throws PlimsollError if the configuration or the artifact is wrong */
export async function createGateway(config: Config): Promise<EmbeddedGateway> {
  const logger = gatewayLogger(config);
  const unguarded = { access: { required: false }, server: { host: '127.0.0.1' } } as const;
  const gateway = await openGateway({ ...config, ...unguarded }, logger);
  const router = await openRouter(config, gateway);
  const budget = new MemoryBudget(config.server.maxBytesAtWork ?? defaultBudgetBytes());
  return {
    router,
    async respond(body, options = {}) {
      const {
        dialect = 'openai',
        operation = 'chat',
        headers = {},
        signal = new LightAbortSignal(),
      } = options;
      const startedMs = performance.now();
      const bodyText = JSON.stringify(body);
      const memory = budget.share();
      const request = {
        dialect,
        operation,
        body,
        bodyText,
        headers,
        memory,
        signal,
        keyId: undefined,
        startedMs,
      };
      try {
        return responseFrom(await gateway.handle(request, router), () => memory.release());
      } catch (error) {
        memory.release();
        throw error;
      }
    },
    async close() {
      await gateway.close();
      await router.close();
    },
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
  const named = createCatalog({ providers, models }).models.map(({ provider }) => provider.apiKeyEnv);
  return [...new Set(named)].flatMap((name) => (name && process.env[name]?.trim()) || []);
}
