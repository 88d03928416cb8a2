import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scaled } from '../helpers/long-run.ts';
import { ask, postRaw, type RunningGateway, startGateway } from './running-gateway.ts';

/** What the provider sends next: the chunks of a stream. */
let chunks: readonly Uint8Array[] = [];

const provider = createServer(async (request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const chunk of chunks) {
    response.write(chunk);
    await turn(); // so that chunks leave one by one
  }
  response.end();
});

let running: RunningGateway;
beforeAll(async () => {
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const { port } = provider.address() as AddressInfo;
  running = await startGateway({ firstUrl: `http://127.0.0.1:${port}/v1` });
});
afterAll(async () => {
  provider.close();
  provider.closeAllConnections();
  await running.close();
});

/** Events of a model, comments, odd line ends, characters of several bytes, and bytes that are no UTF-8. */
const piece = fc.oneof(
  fc.json().map((json) => Buffer.from(`data: ${json}\n\n`)),
  fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(`event: delta\r\ndata: ${text}\r\n\r\n`)),
  fc
    .constantFrom(': comment\n\n', 'data: [DONE]\n\n', '\n', '\r', '\ufeff', 'data:')
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
);
const cut = fc.tuple(
  fc.array(piece, { minLength: 1, maxLength: 20 }).map((pieces) => Buffer.concat(pieces)),
  fc.array(fc.nat(), { maxLength: 30 }),
);

/** Before a reply has begun, what is no JSON object is a failure, and an end without content is no reply. */
const OPENAI_START = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
const ANTHROPIC_START =
  'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}\n\n';
/** After it nothing is missing; the blank line ends whatever stood before. */
const OPENAI_END = '\n\ndata: [DONE]\n\n';
const ANTHROPIC_END = '\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n';

test.each([
  ['/v1/chat/completions', 'first/small', OPENAI_START, OPENAI_END],
  ['/v1/messages', 'claude/small', ANTHROPIC_START, ANTHROPIC_END],
])('%s: however a stream is cut, its bytes arrive as they were sent', async (path, model, start, end) => {
  const property = fc.asyncProperty(cut, async ([some, cuts]) => {
    const bytes = Buffer.concat([Buffer.from(start), some, Buffer.from(end)]);
    chunks = cutAt(bytes, cuts);
    const response = await postRaw(running.url, path, { ...ask('Hello', model), stream: true });
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
  });
  await fc.assert(property, { numRuns: scaled(60) });
});

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((place) => place % bytes.length))].sort((a, b) => a - b);
  const edges = [0, ...places.filter((place) => place > 0), bytes.length];
  return edges.slice(1).map((end, at) => bytes.subarray(edges[at], end));
}
