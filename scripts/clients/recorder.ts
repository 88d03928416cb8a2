import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** One request of a client, and what the gateway answered. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly requestBody: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly responseBody: string;
}

export interface Recorder {
  /** Without /v1. */
  readonly url: string;
  readonly exchanges: readonly Exchange[];
  close(): Promise<void>;
}

/** Stands between a client and the gateway at `port`, and keeps what passes. */
export async function startRecorder(port: number): Promise<Recorder> {
  const exchanges: Exchange[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const { method = 'GET', url = '/', headers } = request;
    const asked = httpRequest({ host: '127.0.0.1', port, method, path: url, headers });
    asked.on('error', () => response.destroy());
    response.on('close', () => asked.destroy());
    asked.on('response', async (answer) => {
      const { statusCode: status = 0, rawHeaders } = answer;
      response.writeHead(status, rawHeaders);
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of answer) {
          chunks.push(chunk);
          response.write(chunk);
        }
        response.end();
      } catch {
        response.destroy();
      }
      const responseBody = Buffer.concat(chunks).toString('utf8');
      const requestBody = body.toString('utf8');
      exchanges.push({ method, path: url, requestBody, status, headers: answer.headers, responseBody });
    });
    asked.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    async close() {
      const ended = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await ended;
    },
  };
}
