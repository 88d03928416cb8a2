import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

const STREAM = { ...ask('Hi', 'first/small'), stream: true, stream_options: { include_usage: true } };

/** Read to its end, so that its trailers are there. */
function streamed(url: string, body: unknown): Promise<{ answer: IncomingMessage; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request(`${url}/v1/chat/completions`, { method: 'POST', headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.on('end', () => resolve({ answer, text })).on('error', reject);
    });
    sent.on('error', reject).end(JSON.stringify(body));
  });
}

test('the cost of a stream follows it, as much as the plain answer says in its head', async () => {
  const { url } = await gatewayForTest();
  const { answer, text } = await streamed(url, STREAM);
  expect(answer.headers['trailer']).toBe(
    'x-plimsoll-cost-usd, x-plimsoll-baseline-cost-usd, x-plimsoll-cached-tokens, x-plimsoll-cache-write-tokens',
  );
  expect(answer.headers['x-plimsoll-cost-usd']).toBeUndefined();
  const { prompt_tokens: input, completion_tokens: output } = usageIn(text);
  expect(Number(answer.trailers['x-plimsoll-cost-usd'])).toBeCloseTo((input * 1 + output * 2) / 1e6, 8);
  expect(answer.trailers['x-plimsoll-baseline-cost-usd']).toBeUndefined(); // nothing was routed
});

test('a routed stream says what the strongest candidate would have cost', async () => {
  const { url } = await gatewayForTest();
  const { answer, text } = await streamed(url, { ...STREAM, model: 'auto' });
  const { prompt_tokens: input, completion_tokens: output } = usageIn(text);
  expect(Number(answer.trailers['x-plimsoll-baseline-cost-usd'])).toBeCloseTo(
    (input * 10 + output * 20) / 1e6,
    8,
  );
});

test('the cost follows a stream whose client did not ask for its tokens, too, and the official client sees none of them', async () => {
  const { url, openai, gateway, first } = await gatewayForTest();
  const { answer, text } = await streamed(url, { ...STREAM, stream_options: undefined });
  expect(Number(answer.trailers['x-plimsoll-cost-usd'])).toBeGreaterThan(0);
  expect(text).not.toContain('"choices":[]');
  const stream = await openai.chat.completions.create({ ...ask('Hi', 'first/small'), stream: true });
  for await (const { choices, usage } of stream) expect([choices.length, usage ?? null]).toEqual([1, null]);
  expect(first.requests.map(({ body }) => (body as typeof STREAM).stream_options)).toEqual([
    { include_usage: true },
    { include_usage: true },
  ]);
  expect(await gateway.metrics.exposition()).not.toContain('plimsoll_streams_without_usage_total{');
});

test('HTTP/1.0, which has no chunks, gets the stream without them', async () => {
  const { url } = await gatewayForTest();
  const { hostname, port } = new URL(url);
  const body = JSON.stringify(STREAM);
  const head = `POST /v1/chat/completions HTTP/1.0\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  const text = await new Promise<string>((resolve, reject) => {
    let all = '';
    const socket = connect(Number(port), hostname, () => socket.write(head + body));
    socket.setEncoding('utf8').on('data', (part: string) => {
      all += part;
    });
    socket.on('end', () => resolve(all)).on('error', reject);
  });
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(text.toLowerCase()).not.toContain('trailer');
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
});

test('what is refused before routing is counted', async () => {
  const { url, gateway } = await gatewayForTest({ config: { gateway: { max_body_bytes: 2_048 } } });
  await postRaw(url, '/v1/chat/completions', ask('x'.repeat(4_096)));
  await postRaw(url, '/v1/messages', ['no object']);
  const told = await gateway.metrics.exposition();
  expect(told).toContain('plimsoll_refused_requests_total{dialect="openai",status="413"} 1');
  expect(told).toContain('plimsoll_refused_requests_total{dialect="anthropic",status="400"} 1');
});

function usageIn(text: string): { readonly prompt_tokens: number; readonly completion_tokens: number } {
  const events = text.split('\n\n').filter((event) => event.includes('"usage":{'));
  return JSON.parse(events.at(-1)!.slice('data: '.length)).usage;
}
