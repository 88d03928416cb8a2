import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { pump } from '../../router/http/send-reply.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** A server that pumps these chunks, and what pumping came to. */
async function pumping(chunks: () => AsyncIterable<Uint8Array>, heartbeatMs = 0) {
  let settle: (how: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    settle = resolve;
  });
  const server = createServer((_, response) => {
    pump(chunks(), response, { heartbeatMs }).then(
      () => {
        settle('done');
        response.end();
      },
      (error) => {
        settle(`threw ${error.message}`);
        response.end('late');
      },
    );
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ended };
}

async function* from(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

const bytesOf = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer());

it('writes the very bytes, however they are cut into chunks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }), async (chunks) => {
      const { url } = await pumping(() => from(chunks));
      expect((await bytesOf(url)).equals(Buffer.concat(chunks))).toBe(true);
    }),
    { seed: 5, numRuns: 40 },
  );
});

it.each([
  ['data: a\n\n', true],
  ['data: a\r\n\r\n', true],
  ['data: a\n', false],
  ['data: {"half', false],
  ['data: a\r\n', false],
])('after %j a heartbeat on silence: %s', async (text, beats) => {
  async function* silent() {
    yield Buffer.from(text);
    await new Promise((resolve) => setTimeout(resolve, 120));
    yield Buffer.from('data: b\n\n');
  }
  const { url } = await pumping(silent, 20);
  const said = (await bytesOf(url)).toString();
  expect(said.includes(': still at work\n\n')).toBe(beats);
  expect(said.replaceAll(': still at work\n\n', '')).toBe(`${text}data: b\n\n`);
});

it('what breaks off is thrown, after what came before', async () => {
  async function* broken() {
    yield Buffer.from('data: a\n\n');
    throw new Error('reset');
  }
  const { url, ended } = await pumping(broken);
  expect((await bytesOf(url)).toString()).toBe('data: a\n\nlate');
  expect(await ended).toBe('threw reset');
});

it('reads no more than the client takes, and stops when it leaves', async () => {
  let read = 0;
  let closed = false;
  async function* endless() {
    try {
      for (;;) {
        read++;
        yield new Uint8Array(64 * 1024);
      }
    } finally {
      closed = true;
    }
  }
  const { url, ended } = await pumping(endless);
  const request = get(url, (response) => response.pause());
  await new Promise((resolve) => setTimeout(resolve, 300));
  const held = read;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(read).toBe(held); // 64 kB chunks: what the sockets' buffers hold, and no more
  expect(held).toBeLessThan(400);
  request.on('error', () => {});
  request.destroy();
  expect(await ended).toBe('done');
  expect(closed).toBe(true);
});
