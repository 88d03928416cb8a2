import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { freePort, startProcess } from '../bench/processes.ts';
import { type Script, startFakeProvider } from '../fake-provider/index.ts';
import type { Ladder } from './client.ts';

/** Builds dist/ first if the sources changed. */
const PLIMSOLL = fileURLToPath(new URL('../plimsoll.mjs', import.meta.url));
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

/** A gateway on a ladder, which outlives the cells. */
export interface LadderGateway {
  readonly ladder: Ladder;
  readonly port: number;
  /** Where the gateway expects the provider. */
  readonly providerPort: number;
  close(): Promise<void>;
}

/** Fake provider and recorder for one cell. */
interface Stack {
  readonly recorder: Recorder;
  close(): Promise<void>;
}

/**
 * Starts `plimsoll serve` with the starter on `ladder`.
 * @param settings further configuration of the gateway
 */
export async function startGateway(ladder: Ladder, settings: object = {}): Promise<LadderGateway> {
  const [port, providerPort] = [await freePort(), await freePort()];
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-clients-gateway-'));
  const config = path.join(folder, 'plimsoll.config.yaml');
  writeFileSync(
    config,
    stringify({ ...gatewayConfig(ladder, `http://127.0.0.1:${providerPort}/v1`), ...settings }),
  );
  process.env[KEY_VARIABLE] = KEY;
  const args = [PLIMSOLL, 'serve', '--config', config, '--port', String(port)];
  const gateway = await startProcess('plimsoll serve', args, port);
  return {
    ladder,
    port,
    providerPort,
    async close() {
      await gateway.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts the strict fake provider, which plays `script`, behind a gateway, and the recorder in front of it. */
export async function startStack({ port, providerPort }: LadderGateway, script: Script): Promise<Stack> {
  const provider = await startFakeProvider({ port: providerPort, strict: true, apiKey: KEY, script });
  const recorder = await startRecorder(port);
  return {
    recorder,
    async close() {
      await recorder.close();
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
