import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { respondToClientError } from '../../router/http/connections.ts';
import type { Router } from '../../router/router.ts';
import { gate, get, post, type Serving, serving } from '../server/serving.ts';

/** A server whose decisions wait at a gate. */
async function gated(limits: { maxConcurrency?: number; requestTimeoutMs?: number }) {
  const { opened, open } = gate();
  let decided = 0;
  const wrap = (router: Router): Router => ({
    ...router,
    route: async (...request) => {
      decided++;
      await opened;
      return router.route(...request);
    },
  });
  return { server: await serving({ server: limits, wrap }), open, decided: () => decided };
}

test('above max_concurrency: 503 and Retry-After, and room again when one is done', async () => {
  const { server, open } = await gated({ maxConcurrency: 2 });
  const ask = () => post(`${server.url}/v1/route`, { prompt: 'x' });
  const answers = [ask(), ask(), ask()];
  const refused = await Promise.race(answers);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(refused.body.error).toMatchObject({ type: 'server_error', code: 'overloaded' });
  expect((await get(`${server.url}/healthz`)).status).toBe(200);
  open();
  const statuses = (await Promise.all(answers)).map((answer) => answer.status);
  expect(statuses.sort()).toEqual([200, 200, 503]);
  expect((await ask()).status).toBe(200);
  await server.close();
});

test('a decision that takes longer than request_timeout_ms: 503', async () => {
  const { server, open } = await gated({ requestTimeoutMs: 100 });
  const { status, body } = await post(`${server.url}/v1/route`, { prompt: 'x' });
  expect(status).toBe(503);
  expect(body.error).toMatchObject({ type: 'server_error', code: 'request_timeout' });
  open();
  await server.close();
});

test('work that timed out keeps its place until it ends', async () => {
  const { server, open } = await gated({ maxConcurrency: 1, requestTimeoutMs: 1_000 });
  const ask = () => post(`${server.url}/v1/route`, { prompt: 'x' });
  expect((await ask()).body.error.code).toBe('request_timeout');
  expect((await ask()).body.error.code).toBe('overloaded');
  open();
  expect((await ask()).status).toBe(200);
  await server.close();
});

test('a batch that timed out takes no further items', async () => {
  const { server, open, decided } = await gated({ requestTimeoutMs: 1_000 });
  const requests = Array.from({ length: 20 }, () => ({ prompt: 'x' }));
  const { status, body } = await post(`${server.url}/v1/route/batch`, { requests });
  expect([status, body.error.code]).toEqual([503, 'request_timeout']);
  const begun = decided();
  expect(begun).toBeLessThan(20);
  open();
  expect((await post(`${server.url}/v1/route`, { prompt: 'x' })).status).toBe(200);
  expect(decided()).toBe(begun + 1);
  await server.close();
});

/** Sends raw bytes, the second ones after the first response, and reads until the server hangs up. */
function raw(server: Pick<Serving, 'port'>, bytes: string, second = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    socket.once('data', () => second !== '' && socket.write(second));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

function bodyOf(response: string) {
  return JSON.parse(response.slice(response.indexOf('\r\n\r\n') + 4));
}

test('what is no HTTP gets 400, and huge headers 431, in the same envelope', async () => {
  const server = await serving();
  const broken = await raw(server, 'BREW /pot HTCPCP/1.0\r\n\r\n');
  expect(broken).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(bodyOf(broken).error).toMatchObject({ type: 'invalid_request_error', code: 'malformed_http' });
  const huge = await raw(server, `GET / HTTP/1.1\r\nhost: localhost\r\nx-big: ${'a'.repeat(70_000)}\r\n\r\n`);
  expect(huge).toMatch(/^HTTP\/1\.1 431 /);
  expect(bodyOf(huge).error.code).toBe('headers_too_large');
  expect((await get(`${server.url}/healthz`)).status).toBe(200);
  await server.close();
});

const ROUTE = 'POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
const HEALTHZ = 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n';

test.each([
  ['an unknown version', 'GET / HTTP/7.9\r\n\r\n'],
  ['a protocol of its own', '\x16\x03\x01\x02\x00\x01'],
  ['a header without a colon', `${HEALTHZ}broken\r\n\r\n`],
  ['a header with a blank in its name', `${HEALTHZ}a b: c\r\n\r\n`],
  ['two lengths', `${HEALTHZ}content-length: 1\r\ncontent-length: 2\r\n\r\n`],
  ['a length and chunks', `${HEALTHZ}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`],
  ['a chunk of no size', `${ROUTE}transfer-encoding: chunked\r\n\r\nx\r\n`],
  ['no Host header', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n'],
])('%s: 400 in JSON', async (_, bytes) => {
  const server = await serving();
  const response = await raw(server, bytes);
  expect(response).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(response).toMatch(/\r\ncontent-type: application\/json; charset=utf-8\r\n/);
  expect(bodyOf(response).error).toMatchObject({
    type: 'invalid_request_error',
    code: 'malformed_http',
    param: null,
  });
  await server.close();
});

test('a kept connection gets the error too, after its responses and not inside them', async () => {
  const server = await serving({ server: { requestTimeoutMs: 200 } });
  const after = async (bytes: string) => {
    const [first, second] = (await raw(server, `${HEALTHZ}\r\n`, bytes)).split(/(?<=\})(?=HTTP)/);
    expect(bodyOf(first!)).toMatchObject({ status: 'ok' });
    return bodyOf(second!).error.code;
  };
  expect(await after('nonsense\r\n\r\n')).toBe('malformed_http');
  expect(await after(`${HEALTHZ}x-big: ${'a'.repeat(70_000)}\r\n\r\n`)).toBe('headers_too_large');
  expect(await after(HEALTHZ)).toBe('request_too_slow');
  await server.close();
});

test('an error during a response cuts the connection, and adds nothing to the response', async () => {
  const server = createServer((_, response) => void response.write('half'));
  server.on('clientError', respondToClientError);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const text = await raw({ port }, `${HEALTHZ}\r\n`, 'nonsense\r\n\r\n');
  expect(text).toMatch(/\r\n\r\n4\r\nhalf\r\n$/);
  server.close();
});

test('an Expect header that is not known changes nothing', async () => {
  const server = await serving();
  const response = await raw(server, `${HEALTHZ}expect: wonders\r\nconnection: close\r\n\r\n`);
  expect(bodyOf(response)).toMatchObject({ status: 'ok' });
  await server.close();
});

test('a request whose headers or body never end gets 408', async () => {
  const server = await serving({ server: { requestTimeoutMs: 100 } });
  for (const bytes of [ROUTE, `${ROUTE}content-length: 100\r\n\r\n{"prompt":`]) {
    const answer = await raw(server, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(bodyOf(answer).error.code).toBe('request_too_slow');
  }
  await server.close();
});

test('a body that breaks off harms nobody', async () => {
  const server = await serving();
  const socket = connect(server.port, '127.0.0.1');
  await new Promise<void>((resolve) => {
    socket.write(
      'POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
      () => {
        socket.destroy();
        resolve();
      },
    );
  });
  expect((await post(`${server.url}/v1/route`, { prompt: 'x' })).status).toBe(200);
  await server.close();
});

test('a connection with more requests than can be pipelined is closed, and others are served', async () => {
  const server = await serving();
  const flood = (count: number) =>
    new Promise<string>((resolve) => {
      const socket = connect(server.port, '127.0.0.1');
      let heard = '';
      socket.on('data', (chunk) => {
        heard += chunk;
        if (heard.split('HTTP/1.1 200').length > count) socket.end();
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(heard));
      socket.write('GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(count));
    });
  const [few, many] = await Promise.all([flood(20), flood(2_000)]);
  expect(few.match(/HTTP\/1\.1 200/g)).toHaveLength(20);
  expect(many.match(/HTTP\/1\.1 200/g)?.length ?? 0).toBeLessThanOrEqual(32);
  expect((await get(`${server.url}/healthz`)).status).toBe(200);
  await server.close();
});
