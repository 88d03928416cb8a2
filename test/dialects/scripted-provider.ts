import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Scripted {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface SeenCall {
  readonly url: string;
  readonly headers: Record<string, unknown>;
  readonly body: Record<string, unknown>;
}

/** A provider with one answer, or one made of what it was asked, and what it was asked. */
export async function scriptedProvider(script: Scripted | ((asked: SeenCall) => Scripted)) {
  const seen: SeenCall[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (!request.complete) return; // the caller gave up
    const { url = '', headers } = request;
    const asked = { url, headers, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
    seen.push(asked);
    const answer = typeof script === 'function' ? script(asked) : script;
    const { status = 200, type = 'application/json', body } = answer;
    response.writeHead(status, { 'content-type': type, ...answer.headers }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
