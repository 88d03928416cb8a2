import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AnswerOptions, answerTo } from './answers.ts';
import { closed, connectionsOf, listening } from './connections.ts';
import { type Controls, control } from './control.ts';
import { type Fault, isFault } from './faults.ts';
import type { ReplyOptions } from './reply.ts';
import type { SeenRequest } from './seen-request.ts';
import { type Pace, send } from './send.ts';
import { refusalWire } from './wire.ts';

export interface UpstreamOptions extends Partial<ReplyOptions>, Partial<Pace> {
  /** Default 0: one that is free. */
  readonly port?: number;
  /** What a request must bring, as a bearer token or as x-api-key; undefined: any. */
  readonly apiKey?: string;
  /** What /v1/models lists. Every other name is answered too. */
  readonly models?: readonly string[];
  /** Refuse what the three providers refuse: unknown fields, empty texts, results without their calls … Default false. */
  readonly strict?: boolean;
  /** So many requests are remembered, the latest. Default 1000. */
  readonly remember?: number;
}

export interface Upstream {
  /** With /v1 at its end: the base URL of a provider, and of OpenAI's client. */
  readonly url: string;
  readonly port: number;
  readonly requests: SeenRequest[];
  /** Each request takes the first of them away, and fails so. */
  readonly faults: Fault[];
  /** Every request fails so that takes no fault of the queue: an outage. Undefined ends it. */
  failAlways(fault: Fault | undefined): void;
  openConnections(): Promise<number>;
  /** Breaks off what is still being answered. */
  close(): Promise<void>;
}

type Settings = AnswerOptions & Pace & { readonly remember: number };

const DEFAULTS: Settings = {
  seed: 1,
  words: 16,
  toolCalls: 1,
  delayMs: 0,
  chunkMs: 0,
  slowMs: 5000,
  apiKey: undefined,
  models: ['test-small', 'test-large'],
  strict: false,
  remember: 1000,
};
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * A server that speaks OpenAI's, Anthropic's and Google's APIs and is NO MODEL: what it answers is made of a hash of the request, says
 * nothing about the prompt, and repeats. It is there to try what stands in front of models: chat completions, messages and
 * embeddings, plain and streamed, tools (the first one offered is called, then a text follows), structured output (the least
 * that fits the schema), images (counted). A header `x-upstream-fault`, the queue, or POST /control/faults make a request fail.
 * It listens on 127.0.0.1 alone.
 * @throws PlimsollError `io` where the port is taken.
 */
export async function startUpstream({ port = 0, ...options }: UpstreamOptions = {}): Promise<Upstream> {
  const settings = { ...DEFAULTS, ...options };
  const controls: Controls = { requests: [], faults: [], always: undefined };
  const server = createServer((request, response) => {
    serve(request, response, controls, settings).catch(() => badRequest(response));
  });
  await listening(server, port);
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${taken}/v1`,
    port: taken,
    requests: controls.requests,
    faults: controls.faults,
    failAlways: (fault) => {
      controls.always = fault;
    },
    openConnections: () => connectionsOf(server),
    close: () => closed(server),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  controls: Controls,
  settings: Settings,
): Promise<void> {
  const body = await bodyOf(request);
  if (control(request, body, controls, response)) return;
  const fault = faultOf(request, controls);
  const seen = { path: String(request.url), headers: request.headers, body, fault, aborted: false };
  controls.requests.push(seen);
  if (controls.requests.length > settings.remember) controls.requests.shift();
  response.once('close', () => {
    seen.aborted = !response.writableFinished;
  });
  await send(response, answerTo(seen, settings), fault, settings);
}

function faultOf({ headers, method }: IncomingMessage, controls: Controls): Fault | undefined {
  if (method !== 'POST') return undefined;
  const asked = headers['x-upstream-fault'];
  return isFault(asked) ? asked : (controls.faults.shift() ?? controls.always);
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('too large');
    chunks.push(chunk);
  }
  return size === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function badRequest(response: ServerResponse): void {
  if (response.headersSent) return void response.destroy();
  const refusal = refusalWire('400', 'openai');
  response.writeHead(400, refusal?.headers).end(refusal && Buffer.concat(refusal.pieces));
}
