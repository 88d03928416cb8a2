import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { gatewayForTest } from './running-gateway.ts';

const CHUNK =
  'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
const BODY = `${CHUNK}data: [DONE]\n\n`;

it('a stream whose provider tells its length goes out without: heartbeats may make it longer', async () => {
  const provider = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': BODY.length });
    response.write(CHUNK);
    setTimeout(() => response.end(BODY.slice(CHUNK.length)), 200);
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void provider.close().closeAllConnections());
  const firstUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`;
  const { url } = await gatewayForTest({ firstUrl, config: { gateway: { heartbeat_ms: 30 } } });
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'first/small', stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
  });
  expect(answer.headers.get('content-length')).toBeNull();
  const text = await answer.text();
  expect(text).toContain(': still at work\n\n');
  expect(text.replaceAll(': still at work\n\n', '')).toBe(BODY);
});
