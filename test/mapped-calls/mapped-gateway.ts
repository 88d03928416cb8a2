import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { onTestFinished } from 'vitest';
import type { CatalogModel, Dialect, ProviderKind } from '../../router/catalog/index.ts';
import { errorBody, errorEvent } from '../../router/dialects/errors.ts';
import type { AttemptOutcome, AttemptTimeouts, ProviderCall } from '../../router/exchange/index.ts';
import { ExchangeError } from '../../router/exchange/provider-error.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import {
  type FakeProvider,
  type FakeProviderOptions,
  startFakeProvider,
} from '../../scripts/fake-provider/server.ts';
import { sendOnce } from '../fallback/attempts.ts';

export const KEY = 'sk-secret-0123456789';
export const ENV = { TEST_KEY: KEY };
export const TIMEOUTS: AttemptTimeouts = {
  connectMs: 2000,
  firstByteMs: 2000,
  idleMs: 2000,
  totalMs: 10_000,
};

/** A model of the catalog behind an address. Claude's name counts: the SDK knows what each model takes. */
export function modelAt(baseUrl: string, kind: ProviderKind, more: Partial<CatalogModel> = {}): CatalogModel {
  return {
    name: `${kind}/test`,
    id: kind === 'anthropic' ? 'claude-sonnet-4-5' : 'gpt-4.1-mini',
    provider: {
      name: kind,
      kind,
      baseUrl,
      apiKeyEnv: 'TEST_KEY',
      headers: {},
      passHeaders: [],
      dialects: [],
    },
    price: undefined,
    contextWindow: undefined,
    maxOutputTokens: undefined,
    capabilities: new Set(),
    latencyClass: undefined,
    local: true,
    ...more,
  };
}

export function callTo(
  model: CatalogModel,
  dialect: Dialect,
  body: Readonly<Record<string, unknown>>,
  signal = new AbortController().signal,
): ProviderCall {
  return { model, dialect, operation: 'chat', body, stream: body['stream'] === true, headers: {}, signal };
}

export interface Clients {
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
  /** What attempts came to, the latest last. */
  readonly outcomes: AttemptOutcome[];
}

export interface Gateway extends Clients {
  readonly upstream: FakeProvider;
}

/** The official clients in front of one mapped attempt a request, and the test upstream of `kind` behind it. */
export async function gatewayTo(
  kind: ProviderKind,
  options: FakeProviderOptions & { readonly model?: Partial<CatalogModel> } = {},
): Promise<Gateway> {
  const upstream = await startFakeProvider({ apiKey: KEY, ...options });
  onTestFinished(() => upstream.close());
  return { upstream, ...(await clientsOf(modelAt(upstream.url, kind, options.model))) };
}

/** The official clients in front of one mapped attempt on `model` a request. */
export async function clientsOf(model: CatalogModel, env: NodeJS.ProcessEnv = ENV): Promise<Clients> {
  const attempt = sendOnce(createMappedAttempt({ env }));
  const outcomes: AttemptOutcome[] = [];
  const server = createServer(async (request, response) => {
    const dialect: Dialect = request.url?.startsWith('/v1/messages') ? 'anthropic' : 'openai';
    const operation = request.url === '/v1/embeddings' ? 'embeddings' : 'chat';
    const leaving = new AbortController();
    response.once('close', () => leaving.abort(new Error('the client left')));
    const call = callTo(model, dialect, await jsonOf(request), leaving.signal);
    const outcome = await attempt({ ...call, operation }, TIMEOUTS).catch(() => undefined);
    if (outcome === undefined) return void response.destroy();
    outcomes.push(outcome);
    await write(outcome, dialect, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    outcomes,
    openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: 'client', maxRetries: 0 }),
    anthropic: new Anthropic({ baseURL: url, apiKey: 'client', maxRetries: 0 }),
  };
}

/** All bytes of a body as text, and what it threw at its end. */
export async function drained(
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly text: string; readonly thrown: unknown }> {
  const chunks: Uint8Array[] = [];
  let thrown: unknown;
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch (error) {
    thrown = error;
  }
  return { text: Buffer.concat(chunks).toString('utf8'), thrown };
}

async function jsonOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

async function write(outcome: AttemptOutcome, dialect: Dialect, response: ServerResponse): Promise<void> {
  if (outcome.kind === 'failure') {
    const status = outcome.status ?? (outcome.failure === 'bad-request' ? 400 : 502);
    const body = outcome.body ?? JSON.stringify(errorBody(dialect, { status, message: outcome.message }));
    return void response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  }
  response.writeHead(outcome.status, outcome.headers);
  try {
    for await (const chunk of outcome.body) response.write(chunk);
  } catch (error) {
    if (error instanceof ExchangeError)
      response.write(errorEvent(dialect, { status: 502, message: error.message }));
  }
  response.end();
}
