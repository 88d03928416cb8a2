import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PlimsollError } from '../../router/errors.ts';
import { errorResponse, FAULTS, type Fault, isFault } from './faults.ts';
import type { Json } from './json.ts';
import type { SeenRequest } from './platforms.ts';
import { PromptCache } from './prompt-cache.ts';
import type { ReplyOptions } from './reply.ts';
import { type Pace, type ResponseOptions, respond } from './respond.ts';

export interface FakeProviderOptions extends Partial<ReplyOptions>, Partial<Pace> {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Required of each request, as a bearer token or as x-api-key; undefined: none. */
  readonly apiKey?: string;
  /** What /v1/models lists. Every other name gets replies too. */
  readonly models?: readonly string[];
  /** Refuse what the three providers refuse: unknown fields, empty texts, results without their calls … Default false. */
  readonly strict?: boolean;
  /** Cache prompts as Anthropic does, and count what was read and written. Default false. */
  readonly promptCache?: boolean;
  /** The fault of the request of that number, from 1; undefined: none. Faults of the queue come first. */
  readonly faultOf?: (number: number) => Fault | undefined;
  /** How many requests are kept, the latest. Default 1000. */
  readonly remember?: number;
}

export interface FakeProvider {
  /** Ends in /v1: the base URL of a provider, and of OpenAI's client. */
  readonly url: string;
  readonly port: number;
  readonly requests: SeenRequest[];
  /** A queue: each request takes the first fault and fails that way. */
  readonly faults: Fault[];
  /** An outage: every request fails that takes no fault from the queue. Undefined ends it. */
  failAlways(fault: Fault | undefined): void;
  openConnections(): Promise<number>;
  /** Aborts the responses in progress. */
  close(): Promise<void>;
}

type Settings = ResponseOptions & { readonly remember: number } & Pick<FakeProviderOptions, 'faultOf'>;

const DEFAULTS: Omit<Settings, 'threads'> = {
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
/** Limits the queue if a control call asks for too many faults by mistake. */
const MAX_TIMES = 100_000;

/**
 * A server that speaks OpenAI's, Anthropic's and Google's APIs and is NO MODEL: its replies are made from a hash of the request, say
 * nothing about the prompt, and repeat. It exists to test what sits in front of models: chat completions, responses, messages (and
 * Anthropic's threads), generateContent, counts of tokens and embeddings, plain and streamed, tools (the first one offered is called, then a text follows), structured output (the smallest
 * instance of the schema), images (counted). A header `x-upstream-fault`, the queue, or POST /control/faults make a request fail.
 * Listens on 127.0.0.1 only.
 * @throws PlimsollError `io` if the port is taken.
 */
export async function startFakeProvider({
  port = 0,
  ...options
}: FakeProviderOptions = {}): Promise<FakeProvider> {
  const promptCache = options.promptCache === true ? new PromptCache() : undefined;
  const settings = { ...DEFAULTS, ...options, promptCache, threads: new Map() };
  const state: State = { requests: [], faults: [], always: undefined, received: 0 };
  const server = createServer((request, response) => {
    handle(request, response, state, settings).catch(() => badRequest(response));
  });
  await listen(server, port);
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${taken}/v1`,
    port: taken,
    requests: state.requests,
    faults: state.faults,
    failAlways: (fault) => {
      state.always = fault;
    },
    openConnections: () => openConnections(server),
    close: () => close(server),
  };
}

/** What control calls read and change. */
interface State {
  readonly requests: SeenRequest[];
  readonly faults: Fault[];
  always: Fault | undefined;
  /** Requests to models so far. */
  received: number;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  state: State,
  settings: Settings,
): Promise<void> {
  const body = await readBody(request);
  if (handleControl(request, body, state, response)) return;
  const fault = nextFault(request, state, settings);
  const seen = { path: String(request.url), headers: request.headers, body, fault, aborted: false };
  state.requests.push(seen);
  if (state.requests.length > settings.remember) state.requests.shift();
  response.once('close', () => {
    seen.aborted = !response.writableFinished;
  });
  await respond(response, seen, settings);
}

/**
 * Handles a control call, from another process or by hand; false if the request is none.
 * `POST /control/faults` with `{"fault": "503", "times": 3}` makes the next requests fail, with `{"fault": "503", "always": true}` all;
 * `DELETE /control/faults` ends both. `GET /control/requests` lists what came.
 */
function handleControl(
  { method, url }: IncomingMessage,
  body: Json,
  state: State,
  response: ServerResponse,
): boolean {
  if (url === '/control/requests' && method === 'GET') return sendJson(response, 200, state.requests);
  if (url !== '/control/faults') return false;
  if (method === 'DELETE') {
    state.faults.length = 0;
    state.always = undefined;
    return sendJson(response, 200, { faults: 0 });
  }
  const { fault, times = 1, always } = body;
  if (!isFault(fault)) return sendJson(response, 400, { error: `fault: one of ${FAULTS.join(', ')}` });
  if (always === true) state.always = fault;
  else for (let i = 0; i < Math.min(Number(times), MAX_TIMES); i += 1) state.faults.push(fault);
  return sendJson(response, 200, { faults: state.faults.length });
}

function sendJson(response: ServerResponse, status: number, body: unknown): true {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  return true;
}

function nextFault(
  { headers, method }: IncomingMessage,
  state: State,
  { faultOf = () => undefined }: Settings,
): Fault | undefined {
  if (method !== 'POST') return undefined;
  state.received += 1;
  const requested = headers['x-upstream-fault'];
  return isFault(requested) ? requested : (state.faults.shift() ?? state.always ?? faultOf(state.received));
}

async function readBody(request: IncomingMessage): Promise<Json> {
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
  const refusal = errorResponse('400', 'openai');
  response.writeHead(400, refusal?.headers).end(refusal && Buffer.concat(refusal.chunks));
}

const PORT_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another program',
  EACCES: 'needs rights that this user does not have',
};

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new PlimsollError(
      'io',
      `Port ${port} ${PORT_FAULTS[code ?? ''] ?? `cannot be used (${code})`}. Choose another with --port; 0 takes a free one.`,
      {
        cause,
      },
    );
  }
}

function openConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
