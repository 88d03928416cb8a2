import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { freePort, startProcess } from '../bench/processes.ts';
import { type FakeProvider, type Script, startFakeProvider } from '../fake-provider/index.ts';
import type { Ladder } from './client.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));
const KEY_VARIABLE = 'PLIMSOLL_CLIENTS_KEY';
const KEY = 'key-of-the-fake-provider';

/** One request of a client, and the gateway's response. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly requestBody: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly responseBody: string;
}

interface Recorder {
  /** Without /v1. */
  readonly url: string;
  readonly exchanges: readonly Exchange[];
  close(): Promise<void>;
}

/** Fake provider, gateway and recorder for one cell. */
interface Stack {
  readonly provider: FakeProvider;
  readonly recorder: Recorder;
  close(): Promise<void>;
}

/**
 * Starts `plimsoll serve` with the starter on `ladder`, in front of the strict fake provider, which plays `script`.
 * @param settings further configuration of the gateway
 */
export async function startStack(
  ladder: Ladder,
  script: Script,
  folder: string,
  settings: object = {},
): Promise<Stack> {
  const provider = await startFakeProvider({ strict: true, apiKey: KEY, script });
  const port = await freePort();
  const config = path.join(folder, 'plimsoll.config.yaml');
  writeFileSync(config, stringify({ ...gatewayConfig(ladder, provider.url), ...settings }));
  process.env[KEY_VARIABLE] = KEY;
  const args = ['--import', 'tsx', CLI, 'serve', '--config', config, '--port', String(port)];
  const gateway = await startProcess('plimsoll serve', args, port);
  const recorder = await startRecorder(port);
  return {
    provider,
    recorder,
    async close() {
      await recorder.close();
      await gateway.close();
      await provider.close();
    },
  };
}

/** Starts a proxy between a client and the gateway at `port` that records every exchange. */
async function startRecorder(port: number): Promise<Recorder> {
  const exchanges: Exchange[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const { method = 'GET', url = '/', headers } = request;
    const forwarded = httpRequest({ host: '127.0.0.1', port, method, path: url, headers });
    forwarded.on('error', () => response.destroy());
    response.on('close', () => forwarded.destroy());
    forwarded.on('response', async (reply) => {
      const { statusCode: status = 0, rawHeaders } = reply;
      response.writeHead(status, rawHeaders);
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of reply) {
          chunks.push(chunk);
          response.write(chunk);
        }
        response.end();
      } catch {
        response.destroy();
      }
      const responseBody = Buffer.concat(chunks).toString('utf8');
      const requestBody = body.toString('utf8');
      exchanges.push({ method, path: url, requestBody, status, headers: reply.headers, responseBody });
    });
    forwarded.end(body);
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

function gatewayConfig({ cheap, strong }: Ladder, url: string): object {
  const provider = (kind: string) => ({ kind, base_url: url, api_key_env: KEY_VARIABLE });
  return {
    ladder: { cheap, strong },
    providers: {
      openai: provider('openai'),
      anthropic: provider('anthropic'),
      google: provider('google'),
    },
  };
}
