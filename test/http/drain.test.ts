import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { closeWithin, openConnections } from '../../router/http/connections.ts';
import type { Router } from '../../router/router.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { gate, get, post, serving } from '../server/serving.ts';

const HEAD = 'host: localhost\r\ncontent-type: application/json\r\n';
const BODY = '{"prompt":"What is the capital of France?"}';

/** A connection that speaks raw HTTP; `heard` resolves to all that came once the server hung up. */
function rawConnection(port: number): { socket: Socket; heard: Promise<string> } {
  let text = '';
  const socket = connect(port, '127.0.0.1');
  socket.on('data', (chunk) => {
    text += chunk;
  });
  return { socket, heard: new Promise((resolve) => socket.on('close', () => resolve(text))) };
}

test('close: not ready first, requests at work get their responses, idle connections go, then the router', async () => {
  const { opened, open } = gate();
  const order: string[] = [];
  const wrap = (router: Router): Router => ({
    ...router,
    route: async (...request) => {
      await opened;
      order.push('decided');
      return router.route(...request);
    },
    close: async () => {
      order.push('router closed');
      await router.close();
    },
  });
  const server = await serving({ wrap });
  await get(`${server.url}/healthz`); // leaves an idle keep-alive connection behind
  const half = rawConnection(server.port);
  await new Promise<void>((resolve) => half.socket.write('GET /readyz HTTP/1.1\r\n', () => resolve()));
  const slow = post(`${server.url}/v1/route`, { prompt: 'x' });
  await get(`${server.url}/healthz`);
  const closed = server.close();
  half.socket.write('host: localhost\r\n\r\n');
  const ready = await half.heard;
  expect(ready).toMatch(/^HTTP\/1\.1 503 /);
  expect(ready).toContain('"status":"draining"');
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  open();
  const answer = await slow;
  expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
  expect(await closed).toBe(true);
  expect(order).toEqual(['decided', 'router closed']);
  expect(await server.close()).toBe(true);
});

test('close: what is not done within drain_timeout_ms is cut off', async () => {
  const { opened, open } = gate();
  const wrap = (router: Router): Router => ({
    ...router,
    route: (...request) => opened.then(() => router.route(...request)),
  });
  const server = await serving({ wrap, server: { drainTimeoutMs: 50 } });
  const { socket, heard } = rawConnection(server.port);
  socket.write(`POST /v1/route HTTP/1.1\r\n${HEAD}content-length: ${BODY.length}\r\n\r\n${BODY}`);
  await get(`${server.url}/healthz`);
  expect(await server.close()).toBe(false);
  expect(await heard).toBe('');
  open();
});

test('close: connections on which nothing was ever sent do not hold it, and a request at work may end', async () => {
  const { opened, open } = gate();
  const wrap = (router: Router): Router => ({
    ...router,
    route: (...request) => opened.then(() => router.route(...request)),
  });
  const server = await serving({ wrap, server: { drainTimeoutMs: 5_000 } });
  const silent = [rawConnection(server.port), rawConnection(server.port)];
  await Promise.all(silent.map(({ socket }) => once(socket, 'connect')));
  const busy = rawConnection(server.port);
  busy.socket.write(`POST /v1/route HTTP/1.1\r\n${HEAD}content-length: ${BODY.length}\r\n\r\n${BODY}`);
  await get(`${server.url}/healthz`);
  const closed = server.close();
  expect(await Promise.all(silent.map(({ heard }) => heard))).toEqual(['', '']);
  expect(busy.socket.destroyed).toBe(false);
  open();
  expect(await busy.heard).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(await closed).toBe(true);
});

test('close: a stream ends whole, and a connection that is idle only then is closed then', async () => {
  const server = createServer((_request, response) => {
    // Its head has no `connection: close`, as that of a response that began before the drain.
    response.writeHead(200, { 'content-length': 2 });
    response.write('o');
    setTimeout(() => response.end('k'), 50);
  });
  const open = openConnections(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { socket, heard } = rawConnection((server.address() as AddressInfo).port);
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await once(socket, 'data');
  expect(await closeWithin(server, open, 5_000)).toBe(true);
  expect(await heard).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*ok$/);
});

test('close: half a request is waited for until the time is over', async () => {
  const server = await serving({ server: { drainTimeoutMs: 400 } });
  const { socket } = rawConnection(server.port);
  await new Promise<void>((resolve) => socket.write('GET /readyz HTTP/1.1\r\n', () => resolve()));
  await get(`${server.url}/healthz`);
  expect(await server.close()).toBe(false);
});

interface Child {
  readonly process: ChildProcess;
  readonly port: number;
  readonly exit: Promise<number | null>;
  readonly log: () => string;
  /** Resolves once the log holds the text. */
  logged(text: string): Promise<void>;
}

/** `plimsoll serve` in a process of its own, once it listens. */
async function servingChild(): Promise<Child> {
  const { folder } = await tinyArtifact();
  const config = path.join(path.dirname(folder), 'plimsoll.config.yaml');
  writeFileSync(config, `artifact: ${JSON.stringify(folder)}\nserver: { port: 0 }\n`);
  const script = fileURLToPath(new URL('serve-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, config], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { ...process.env, PLIMSOLL_PORT: '', PLIMSOLL_LOG_LEVEL: '' },
  });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const exit = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  const logged = async (text: string) => {
    const ended = exit.then((code) => {
      throw new Error(`ended with ${code} before it logged "${text}":\n${log}`);
    });
    while (!log.includes(text)) {
      await Promise.race([ended, new Promise((resolve) => child.stderr.once('data', resolve))]);
    }
    ended.catch(() => {});
  };
  await logged('listens on');
  const port = Number(/listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(log)![1]);
  return { process: child, port, exit, log: () => log, logged };
}

test('SIGTERM: a request in flight gets its response, and the process ends with 0', async () => {
  const child = await servingChild();
  const { socket, heard } = rawConnection(child.port);
  socket.write(`POST /v1/route HTTP/1.1\r\n${HEAD}content-length: ${BODY.length}\r\n\r\n${BODY.slice(0, 9)}`);
  await get(`http://127.0.0.1:${child.port}/healthz`);
  child.process.kill('SIGTERM');
  await child.logged('SIGTERM');
  socket.write(BODY.slice(9));
  const answer = await heard;
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer).toContain('"candidate":"cheap"');
  expect(await child.exit).toBe(0);
  expect(child.log()).toContain('PASS by made-up-suite until ');
});

test('a second signal ends the process at once', async () => {
  const child = await servingChild();
  const { socket, heard } = rawConnection(child.port);
  socket.write(`POST /v1/route HTTP/1.1\r\n${HEAD}content-length: 99\r\n\r\n{`);
  await get(`http://127.0.0.1:${child.port}/healthz`);
  child.process.kill('SIGINT');
  await child.logged('SIGINT');
  child.process.kill('SIGINT');
  expect(await child.exit).toBe(1);
  expect(await heard).toBe('');
});
