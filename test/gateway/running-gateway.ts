import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { type Config, configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import type { Gateway } from '../../router/gateway/gateway.ts';
import { openGateway } from '../../router/gateway/open-gateway.ts';
import type { WatchAlarm } from '../../router/monitoring/index.ts';
import { startServer } from '../../router/server/index.ts';
import type { ServeOptions } from '../../router/serving.ts';
import { createLogger } from '../../router/telemetry/index.ts';
import {
  type FakeProvider,
  type FakeProviderOptions,
  startFakeProvider,
} from '../../scripts/fake-provider/server.ts';
import { type TinyArtifact, tinyArtifact } from '../helpers/tiny-artifact.ts';

/** What the providers want of the gateway. Planted in the environment; no answer, log line or metric may have it. */
export const UPSTREAM_KEY = 'upstream-key-that-nobody-may-see';
export const KEY_VARIABLE = 'PLIMSOLL_TEST_UPSTREAM_KEY';

type Wanted = z.input<typeof configSchema>;

export interface Wishes {
  readonly config?: Partial<Wanted>;
  readonly upstream?: FakeProviderOptions;
  /** The clock by which verdicts expire. */
  readonly nowMs?: () => number;
  /** In place of the first upstream's address. */
  readonly firstUrl?: string;
  /** Lets the dashboard choose what serves. */
  readonly promotion?: ServeOptions['promotion'];
  /** Opens labelled cases for the dashboard. */
  readonly review?: ServeOptions['review'];
  /** A sentence above every page of the dashboard. */
  readonly banner?: string;
}

/** The gateway as `plimsoll serve` runs it, in front of two upstreams. */
export interface RunningGateway {
  readonly url: string;
  readonly gateway: Gateway;
  /** Behind `first/...` and `claude/...`. */
  readonly first: FakeProvider;
  /** Behind `second/...` and `claude2/...`. */
  readonly second: FakeProvider;
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
  readonly artifact: TinyArtifact;
  readonly log: readonly string[];
  /** As a reload with the same artifact, and the same configuration but for these fields. */
  reconfigure(changes?: Partial<Wanted>): void;
  close(): Promise<void>;
}

/** Quick retries, so that a test of ten failures does not take a minute. */
const UPSTREAM: Wanted['upstream'] = {
  deadline_ms: 10_000,
  timeouts: { connect_ms: 1_000, first_byte_ms: 1_000, idle_ms: 500, total_ms: 20_000 },
  retry: { max_retries: 1, initial_wait_ms: 1, max_wait_ms: 2 },
};

const MODELS: NonNullable<Wanted['models']> = {
  'first/small': { price: { input: 1, output: 2 } },
  'first/large': { price: { input: 10, output: 20 } },
  'second/large': { price: { input: 10, output: 20 } },
  'claude/small': { id: 'claude-haiku-4-5' },
  'claude/large': { id: 'claude-sonnet-4-5' },
  'claude2/large': { id: 'claude-sonnet-4-5' },
  'first/embedder': {},
};

/** Those of the gateway, with a price for each: limits that count money ask for one. */
export const PRICED_MODELS: NonNullable<Wanted['models']> = {
  ...MODELS,
  'claude/large': { id: 'claude-sonnet-4-5', price: { input: 3, output: 15 } },
  'claude2/large': { id: 'claude-sonnet-4-5', price: { input: 3, output: 15 } },
};

/**
 * Real servers on free ports: two upstreams, each of them an OpenAI-compatible and an Anthropic provider, and the gateway with the
 * tiny artifact. cheap is first/small, strong is first/large; the profile `claude` has the same of Anthropic's dialect.
 */
export async function startGateway({
  config = {},
  upstream = {},
  firstUrl,
  nowMs,
  promotion,
  review,
  banner,
}: Wishes = {}) {
  process.env[KEY_VARIABLE] = UPSTREAM_KEY;
  const options = { apiKey: UPSTREAM_KEY, ...upstream };
  const [first, second] = await Promise.all([startFakeProvider(options), startFakeProvider(options)]);
  const artifact = await tinyArtifact();
  const urls = { first: firstUrl ?? first.url, second: second.url };
  const whole = configOf(artifact, urls, config);
  const log: string[] = [];
  const logger = createLogger('debug', { write: (line) => log.push(line) });
  const onAlarm = whole.watch && (({ kind, message }: WatchAlarm) => logger.warn({ alarm: kind }, message));
  const gateway = await openGateway(whole, logger, onAlarm);
  const router = await createRouter(whole, nowMs ? { nowMs } : {});
  gateway.configure(whole, router);
  const server = await startServer({ config: whole, router, logger, gateway, promotion, review, banner });
  const close = async () => {
    await Promise.all([first.close(), second.close()]);
    await server.close();
  };
  const reconfigure = (changes: Partial<Wanted> = {}) =>
    gateway.configure(configOf(artifact, urls, { ...config, ...changes }), router);
  return {
    url: server.url,
    gateway,
    first,
    second,
    artifact,
    log,
    ...clientsOf(server.url),
    reconfigure,
    close,
  };
}

/** The same for one test. */
export async function gatewayForTest(wishes: Wishes = {}): Promise<RunningGateway> {
  const running = await startGateway(wishes);
  onTestFinished(running.close);
  return running;
}

/** The official clients with nothing changed but the base URL. Without their own retries, which would hide failures. */
export function clientsOf(url: string, apiKey = 'unused-on-loopback') {
  return {
    openai: new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 }),
    anthropic: new Anthropic({ baseURL: url, apiKey, authToken: null, maxRetries: 0 }),
  };
}

function configOf(
  { folder }: TinyArtifact,
  urls: { readonly first: string; readonly second: string },
  changes: Partial<Wanted>,
): Config {
  const openai = (base_url: string) => ({ kind: 'openai-compatible', base_url, api_key_env: KEY_VARIABLE });
  const claude = (base_url: string) => ({ kind: 'anthropic', base_url, api_key_env: KEY_VARIABLE });
  return configSchema.parse({
    artifact: folder,
    ladder: { cheap: 'first/small', strong: 'first/large' },
    providers: {
      first: openai(urls.first),
      second: openai(urls.second),
      claude: claude(urls.first),
      claude2: claude(urls.second),
    },
    models: MODELS,
    profiles: { claude: { ladder: { cheap: 'claude/small', strong: 'claude/large' } } },
    upstream: UPSTREAM,
    reload_interval_ms: 0,
    server: { port: 0, drain_timeout_ms: 500 },
    ...changes,
  });
}

export { UPSTREAM as QUICK_UPSTREAM };

/** A question in the form of both dialects' requests; `max_tokens` is one that both know. */
export function ask(content: string, model = 'auto') {
  return { model, max_tokens: 1_000, messages: [{ role: 'user' as const, content }] };
}

/** A request of no client, for what is in the bytes and headers. */
export function postRaw(
  url: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}
