import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatewayForTest, UPSTREAM_KEY } from '../gateway/running-gateway.ts';
import { type Serving, serving } from './serving.ts';

interface Wanted {
  readonly method?: string;
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests read into bodies whose shape is what they check
  readonly body: any;
}

/** fetch sets Host and Origin itself; a request of node's own sends what it is given. */
function ask(url: string, { method = 'GET', path = '/readyz', headers, body }: Wanted): Promise<Got> {
  const options = { method, path, headers: { 'content-type': 'application/json', ...headers } };
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, options, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      const { statusCode = 0, headers } = response;
      resolve({ status: statusCode, headers, body: text === '' ? undefined : JSON.parse(text) });
    });
    request.on('error', reject);
    request.end(method === 'POST' ? JSON.stringify(body) : undefined);
  });
}

/** Of the response to a request that node's client would not send. */
function firstLine(url: string, head: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(`${head}\r\nconnection: close\r\n\r\n${head.startsWith('POST') ? '{}' : ''}`),
    );
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text.split('\r\n')[0]!));
    socket.on('error', reject);
  });
}

const PREFLIGHT = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type,x-stainless-os',
};

describe('a server on a loopback address without keys', () => {
  let server: Serving;
  beforeAll(async () => {
    server = await serving({
      server: { allowedHosts: ['plimsoll.internal'], corsOrigins: ['https://app.example.com'] },
    });
  });
  afterAll(() => server.close());

  test.each([
    'localhost',
    'LocalHost:8787',
    '127.0.0.1',
    '127.0.0.1:1',
    '[::1]',
    '[::1]:8787',
    'plimsoll.internal',
    'Plimsoll.Internal:80',
  ])('answers to Host %s', async (host) => {
    expect((await ask(server.url, { headers: { host } })).status).toBe(200);
  });

  test.each([
    'evil.example',
    'evil.example:8787',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.evil.example',
    'plimsoll.internal.evil.example',
    'evil-plimsoll.internal',
    'constructor',
    '192.168.0.9:8787',
    '127.0.0.2',
    '127.1',
    '0.0.0.0:8787',
    '[::ffff:127.0.0.1]',
    'localhost.',
    '[::2]:8787',
    '[::1',
    '[::1]evil.example',
    '[::1].evil.example',
    'localhost:evil.example',
    'localhost:1:2',
    'localhost@evil.example',
    'localhost/evil.example',
    'localhost.',
  ])('refuses Host "%s" with 421 on every route', async (host) => {
    const body = { prompt: 'Hi there' };
    for (const wanted of [
      { headers: { host } },
      { headers: { host }, path: '/' },
      { headers: { host }, path: '/nowhere' },
      { headers: { host }, path: '/v1/route', method: 'POST', body },
      { headers: { host, ...PREFLIGHT, origin: 'https://app.example.com' }, method: 'OPTIONS' },
    ]) {
      const got = await ask(server.url, wanted);
      expect(got).toMatchObject({ status: 421, body: { error: { code: 'unknown_host' } } });
      expect(got.headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  test.each([
    'GET http://evil.example/readyz HTTP/1.1\r\nhost: localhost',
    'GET HTTP://Evil.Example:80/readyz HTTP/1.1\r\nhost: localhost',
    'GET https://evil.example/readyz HTTP/1.1\r\nhost: localhost',
    'GET http://localhost@evil.example/readyz HTTP/1.1\r\nhost: localhost',
    'GET http://evil.example/readyz HTTP/1.0',
    'GET /readyz HTTP/1.0',
    'GET /readyz HTTP/1.0\r\nhost: evil.example',
    'GET /readyz HTTP/1.0\r\nhost:',
    'POST http://evil.example/v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2',
  ])('refuses %j with 421', async (head) => {
    expect(await firstLine(server.url, head)).toBe('HTTP/1.1 421 Misdirected Request');
  });

  test.each([
    'GET http://localhost/readyz HTTP/1.1\r\nhost: localhost',
    'GET http://127.0.0.1:8787/readyz?a=b HTTP/1.1\r\nhost: evil.example', // the target says it, not the header
    'GET http://[::1] HTTP/1.1\r\nhost: localhost',
    'GET /readyz HTTP/1.0\r\nhost: localhost',
    'GET //evil.example HTTP/1.1\r\nhost: localhost', // a path
  ])('answers %j', async (head) => {
    const path = head.startsWith('GET //') ? '404 Not Found' : '200 OK';
    expect(await firstLine(server.url, head)).toBe(`HTTP/1.1 ${path}`);
  });

  test.each([
    'GET /readyz HTTP/1.1\r\nhost: localhost\r\nhost: evil.example',
    'GET /readyz HTTP/1.1\r\nhost: evil.example\r\nHOST: localhost',
    'GET /readyz HTTP/1.1\r\nhost: localhost\r\nhost: localhost',
    'GET /readyz HTTP/1.0\r\nhost: localhost\r\naccept: */*\r\nHost: localhost',
    'GET http://localhost/readyz HTTP/1.1\r\nhost: localhost\r\nhost: evil.example',
    'POST /v1/route HTTP/1.1\r\nhost: localhost\r\nhost:\r\ncontent-length: 2',
  ])('refuses more than one Host: %j', async (head) => {
    expect(await firstLine(server.url, head)).toBe('HTTP/1.1 400 Bad Request');
  });

  test.each([
    'http://',
    'http://evil.example#@localhost/readyz',
    'http://[::1/readyz',
    'ftp://localhost/readyz',
    'http://local host/readyz',
  ])('refuses what is no target: %s', async (target) => {
    expect(await firstLine(server.url, `GET ${target} HTTP/1.1\r\nhost: localhost`)).toMatch(
      /^HTTP\/1.1 4\d\d/,
    );
  });

  test.each([
    'https://evil.example',
    'null',
    'http://app.example.com',
    'https://app.example.com.evil.example',
  ])('refuses Origin %s with 403', async (origin) => {
    const got = await ask(server.url, { headers: { origin } });
    expect(got).toMatchObject({ status: 403, body: { error: { code: 'origin_not_allowed' } } });
    expect(got.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('lets a page that it served itself call it', async () => {
    const { host, origin } = new URL(server.url);
    const got = await ask(server.url, { headers: { host, origin } });
    expect(got.status).toBe(200);
    expect(got.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('responds to the preflight of an allowed origin, and lets it read responses and errors', async () => {
    const origin = 'https://app.example.com';
    const path = '/v1/route';
    const preflight = await ask(server.url, { method: 'OPTIONS', path, headers: { origin, ...PREFLIGHT } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET,HEAD,POST,DELETE',
      'access-control-allow-headers': PREFLIGHT['access-control-request-headers'],
      'access-control-max-age': '600',
    });
    for (const [body, status] of [
      [{ prompt: 'Hi there' }, 200],
      [{}, 400],
    ] as const) {
      const got = await ask(server.url, { method: 'POST', path, headers: { origin }, body });
      expect(got.status).toBe(status);
      expect(got.headers['access-control-allow-origin']).toBe(origin);
      expect(got.headers['access-control-expose-headers']).toContain('x-request-id');
      expect(got.headers.vary).toMatch(/origin/i);
    }
  });

  test('an OPTIONS that is no preflight is a method like any other', async () => {
    const got = await ask(server.url, { method: 'OPTIONS', headers: { origin: 'https://app.example.com' } });
    expect(got.status).toBe(405);
  });
});

test('without a list, CORS is off', async () => {
  const server = await serving();
  const { origin } = new URL(server.url);
  const got = await ask(server.url, { method: 'OPTIONS', headers: { origin, ...PREFLIGHT } });
  expect(got.status).toBe(405);
  expect(got.headers['access-control-allow-origin']).toBeUndefined();
  await server.close();
});

test('a server on all addresses that only decides accepts any host name, but no foreign pages', async () => {
  const server = await serving({ server: { host: '0.0.0.0' } });
  const url = `http://127.0.0.1:${server.port}`;
  expect((await ask(url, { headers: { host: 'plimsoll.default.svc' } })).status).toBe(200);
  expect((await ask(url, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
  await server.close();
});

describe('the gateway', () => {
  const chat = {
    method: 'POST',
    path: '/v1/chat/completions',
    body: { model: 'first/small', messages: [{ role: 'user', content: 'Hi there' }] },
  };

  test('refuses in the form of the API that was called, and asks no provider', async () => {
    const { url, first } = await gatewayForTest();
    const origin = 'https://evil.example';
    const openai = await ask(url, { ...chat, headers: { origin } });
    expect(openai).toMatchObject({ status: 403, body: { error: { code: 'origin_not_allowed' } } });
    const anthropic = await ask(url, { ...chat, path: '/v1/messages', headers: { host: 'evil.example' } });
    expect(anthropic).toMatchObject({
      status: 421,
      body: { type: 'error', error: { message: /allowed_hosts/ } },
    });
    expect(first.requests).toEqual([]);
  });

  test('lets an allowed page call models and read the headers', async () => {
    const origin = 'https://app.example.com';
    const { url } = await gatewayForTest({ config: { server: { port: 0, cors_origins: [origin] } } });
    const preflight = await ask(url, { ...chat, method: 'OPTIONS', headers: { origin, ...PREFLIGHT } });
    expect(preflight.status).toBe(204);
    const got = await ask(url, { ...chat, headers: { origin } });
    expect(got.status).toBe(200);
    expect(got.headers['access-control-allow-origin']).toBe(origin);
    expect(got.headers['access-control-expose-headers']).toContain('x-plimsoll-selected');
    expect(JSON.stringify(got)).not.toContain(UPSTREAM_KEY);
  });

  test('does not start with "*" and without keys: every page could spend the operator\'s money', async () => {
    const started = gatewayForTest({ config: { server: { port: 0, cors_origins: ['*'] } } });
    await expect(started).rejects.toThrow(/server\.cors_origins: "\*" would let every web page/);
  });
});
