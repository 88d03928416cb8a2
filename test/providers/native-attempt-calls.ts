import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Provider } from '../../router/catalog/index.ts';
import type { AttemptOutcome, AttemptTimeouts, ProviderCall } from '../../router/exchange/types.ts';
import {
  type FakeProvider,
  type FakeProviderOptions,
  startFakeProvider,
} from '../../scripts/fake-provider/server.ts';
import { modelAt } from './call-to.ts';

export const KEY = 'sk-secret-0123456789';
export const TIMEOUTS: AttemptTimeouts = {
  connectMs: 5000,
  firstByteMs: 5000,
  idleMs: 5000,
  totalMs: 20_000,
};

/** The least that is a reply in OpenAI's API. */
export const LEAST_REPLY = '{"choices":[{"finish_reason":"stop"}]}';

/** The test upstream for one test; it wants the key. */
export async function upstreamOf(options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const upstream = await startFakeProvider({ apiKey: KEY, ...options });
  onTestFinished(() => upstream.close());
  return upstream;
}

/** A server that speaks raw bytes, for what no HTTP server would send. */
export async function rawServer(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

interface CallOptions extends Partial<Omit<ProviderCall, 'model'>> {
  readonly url: string;
  readonly fault?: string;
  readonly provider?: Partial<Provider>;
}

/** A chat call in the dialect; `fault` goes along as a header. */
export function callOf({ url, fault, provider, ...rest }: CallOptions): ProviderCall {
  const { dialect = 'openai', stream = false } = rest;
  return {
    model: modelAt(url, dialect, provider),
    dialect,
    operation: 'chat',
    body: { model: 'auto', messages: [{ role: 'user', content: 'Say something.' }], max_tokens: 100, stream },
    stream,
    headers: fault === undefined ? {} : { 'x-upstream-fault': fault },
    signal: new AbortController().signal,
    ...rest,
  };
}

export type Answer = Extract<AttemptOutcome, { kind: 'reply' }>;
export type Refused = Extract<AttemptOutcome, { kind: 'failure' }>;

export function answered(outcome: AttemptOutcome): Answer {
  if (outcome.kind !== 'reply') throw new Error(`no answer: ${outcome.failure}: ${outcome.message}`);
  return outcome;
}

export function refused(outcome: AttemptOutcome): Refused {
  if (outcome.kind !== 'failure') throw new Error(`answered ${outcome.status}`);
  return outcome;
}

/** All bytes of a body, and what it threw at its end. */
export async function drained(
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly bytes: Buffer; readonly thrown: unknown }> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch (thrown) {
    return { bytes: Buffer.concat(chunks), thrown };
  }
  return { bytes: Buffer.concat(chunks), thrown: undefined };
}
