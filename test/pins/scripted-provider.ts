import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { replyTo } from './provider-replies.ts';

/** What the provider does with one request. What is left out is as a provider replies when all is well. */
export interface Scripted {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The connection is reset behind the body. */
  readonly reset?: boolean;
  /** It replies when this resolves. */
  readonly after?: Promise<unknown>;
}

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

export interface ScriptedProvider {
  /** http://127.0.0.1:port */
  readonly url: string;
  /** What came since the last call of this. */
  received(): Received[];
  /** What the next requests get, one each. */
  script(replies: readonly Scripted[]): void;
  close(): Promise<void>;
}

/** So that what was written has left before the connection is reset. */
const FLUSH_MS = 30;

/** A provider over HTTP with the APIs of OpenAI, Anthropic and Google, which replies what it is told to, and keeps what it got. */
export async function startScriptedProvider(): Promise<ScriptedProvider> {
  const received: Received[] = [];
  let script: readonly Scripted[] = [];
  const server = createServer(async (request, response) => {
    const seen = await read(request);
    received.push(seen);
    const [next = {}, ...rest] = script;
    script = rest;
    await send(response, next, seen);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => received.splice(0),
    script: (replies) => {
      script = replies;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function read(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method = '', url = '', rawHeaders } = request;
  return { method, path: url, headers: pairs(rawHeaders), body: Buffer.concat(chunks).toString('utf8') };
}

/** Names in lower case, in alphabetical order: their order on the wire says nothing. */
export function pairs(rawHeaders: readonly string[]): [string, string][] {
  const names = rawHeaders.filter((_, at) => at % 2 === 0);
  const found = names.map((name, at): [string, string] => [name.toLowerCase(), rawHeaders[at * 2 + 1]!]);
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
}

async function send(response: ServerResponse, scripted: Scripted, seen: Received): Promise<void> {
  const usual = replyTo(seen.path, seen.body);
  const { status = 200, headers, body = usual.body, reset = false, after } = scripted;
  await after;
  response.writeHead(status, { 'content-type': usual.type, ...headers });
  response.write(body);
  if (!reset) return void response.end();
  await pause(FLUSH_MS);
  response.socket?.resetAndDestroy();
}
