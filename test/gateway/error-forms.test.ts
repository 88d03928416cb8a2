import { once } from 'node:events';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, postRaw, type RunningGateway, startGateway } from './running-gateway.ts';

let running: RunningGateway;
beforeAll(async () => {
  running = await startGateway();
});
afterAll(() => running.close());

const JSON_TYPE = { 'content-type': 'application/json' };
const big = JSON.stringify({ ...ask('x'), filler: 'x'.repeat(33 * 1024 * 1024) });

/** What is wrong with a request, at any path. */
const REQUESTS: readonly (readonly [string, string, RequestInit, number])[] = [
  ['an unknown path below', '/counted', { method: 'POST', headers: JSON_TYPE, body: '{}' }, 404],
  ['an unknown path below, deeper', '/batches/x/results/y?limit=1', {}, 404],
  ['another method', '', { method: 'GET' }, 405],
  ['another method with a query', '?beta=true', { method: 'DELETE' }, 405],
  ['no JSON type', '', { method: 'POST', body: 'x' }, 415],
  ['broken JSON', '', { method: 'POST', headers: JSON_TYPE, body: '{"a":' }, 400],
  ['a query and broken JSON', '?beta=true', { method: 'POST', headers: JSON_TYPE, body: '{' }, 400],
  ['no body', '', { method: 'POST', headers: JSON_TYPE }, 400],
  ['no object', '', { method: 'POST', headers: JSON_TYPE, body: '[]' }, 400],
  [
    'an unknown compression',
    '',
    { method: 'POST', headers: { ...JSON_TYPE, 'content-encoding': 'x' }, body: '{}' },
    415,
  ],
  ['a body that is too large', '', { method: 'POST', headers: JSON_TYPE, body: big }, 413],
  [
    'no such model',
    '',
    { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(ask('x', 'first/none')) },
    404,
  ],
  ['no messages', '', { method: 'POST', headers: JSON_TYPE, body: '{"model":"auto"}' }, 400],
  ['a broken URL', '/%ZZ', {}, 404],
  [
    'a page of another site',
    '',
    { method: 'POST', headers: { ...JSON_TYPE, origin: 'https://x.example' }, body: '{}' },
    403,
  ],
];

describe.each(['/v1/messages', '/V1/Messages', '/messages'])('%s', (path) => {
  it.each(REQUESTS)(
    "%s is in Anthropic's form, whatever the client says that it speaks",
    async (_, rest, init, status) => {
      const response = await fetch(`${running.url}${path}${rest}`, init);
      expect(response.status).toBe(status);
      const body = (await response.json()) as Anthropic.ErrorResponse;
      expect(body).toEqual({
        type: 'error',
        error: expect.objectContaining({
          type: expect.stringMatching(/_error$|request_too_large/),
          message: expect.any(String),
        }),
        request_id: response.headers.get('request-id'),
      });
      expect(body.request_id).toMatch(/^req_/);
    },
  );
});

it.each(['/v1/chat/completions', '/v1/embeddings'])(
  "%s answers in OpenAI's form, whatever headers come along",
  async (path) => {
    for (const [, rest, init] of REQUESTS.filter(([, , , status]) => status !== 413)) {
      const headers = { ...init.headers, 'anthropic-version': '2023-06-01' };
      const response = await fetch(`${running.url}${path}${rest}`, { ...init, headers });
      const body = (await response.json()) as { error: object };
      expect(Object.keys(body)).toEqual(['error']);
      expect(Object.keys(body.error).sort()).toEqual(['code', 'message', 'param', 'type']);
      expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    }
  },
);

it('elsewhere the version header says which form', async () => {
  const bare = (await (await fetch(`${running.url}/v1/none`)).json()) as object;
  expect(Object.keys(bare)).toEqual(['error']);
  const headers = { 'anthropic-version': '2023-06-01' };
  const claude = (await (await fetch(`${running.url}/v1/none`, { headers })).json()) as object;
  expect(claude).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
});

it('a name that is not this host gets 421 in the form of the path', async () => {
  const { port } = new URL(running.url);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  socket.end('GET /v1/messages HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n');
  const reply = await textOf(socket);
  expect(reply).toMatch(/^HTTP\/1\.1 421 /);
  expect(reply).toContain('{"type":"error","error":{');
});

describe('the ids that the official clients read', () => {
  it('are those of errors, mapped or not', async () => {
    const error = await running.anthropic.messages.create(ask('x', 'first/none')).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(Anthropic.NotFoundError);
    expect(error.requestID).toMatch(/^req_/);
    expect(error.error.request_id).toBe(error.requestID);

    const unmappable = {
      ...ask('x', 'first/small'),
      thread: { type: 'new' },
    } as Anthropic.MessageCreateParamsNonStreaming;
    const refused = await running.anthropic.messages.create(unmappable).catch((thrown) => thrown);
    expect(refused.status).toBe(400);
    expect(refused.requestID).toMatch(/^req_/);
    expect(refused.error.request_id).toBe(refused.requestID);

    const missing = await running.openai.chat.completions
      .create(ask('x', 'first/none'))
      .catch((thrown) => thrown);
    expect(missing).toBeInstanceOf(OpenAI.NotFoundError);
    expect(missing.requestID).toMatch(/^req_/);
  });

  it('are on mapped replies, plain and streamed', async () => {
    const message = await running.anthropic.messages.create(ask('x', 'first/small'));
    expect(message._request_id).toMatch(/^req_/);
    const { request_id } = await running.anthropic.messages
      .create({ ...ask('x', 'first/small'), stream: true })
      .withResponse();
    expect(request_id).toMatch(/^req_/);
    const completion = await running.openai.chat.completions.create(ask('x', 'claude/small'));
    expect(completion._request_id).toMatch(/^req_/);
  });

  it("are the caller's own where it sends one", async () => {
    const response = await postRaw(running.url, '/v1/messages', ask('x', 'first/small'), {
      'x-request-id': 'mine-7',
    });
    expect(response.headers.get('request-id')).toBe('mine-7');
    expect(response.headers.get('x-request-id')).toBe('mine-7');
  });

  it("of an Anthropic provider's own error stay, in the body and the head", async () => {
    running.first.faults.push('400');
    const error = await running.anthropic.messages.create(ask('x', 'claude/small')).catch((thrown) => thrown);
    expect(error.status).toBe(400);
    expect(error.requestID).toBe(error.error.request_id);
    expect(error.requestID).toMatch(/^req_/);
  });

  it('end a stream that broke off', async () => {
    running.first.faults.push('cut');
    const response = await postRaw(running.url, '/v1/messages', {
      ...ask('x', 'claude/small'),
      stream: true,
    });
    const last = (await response.text()).split('\n\n').at(-2)!;
    expect(JSON.parse(last.split('\ndata: ')[1]!)).toMatchObject({
      type: 'error',
      request_id: response.headers.get('x-request-id'),
    });
  });
});
