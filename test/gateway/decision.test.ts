import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

async function decision(url: string, body: object) {
  const response = await postRaw(url, '/v1/decision', body);
  return { status: response.status, headers: response.headers, body: (await response.json()) as never };
}

test.each(['openai_chat', 'anthropic_messages', 'openai_responses'])(
  'a request of %s: selected and fallbacks, in order, and nobody is called',
  async (input_format) => {
    const { url, artifact, first, second } = await gatewayForTest();
    const easy = artifact.easy[0]!;
    const request = input_format === 'openai_responses' ? { model: 'auto', input: easy } : ask(easy);
    const { status, body, headers } = await decision(url, { input_format, request });
    const target = (name: string, model: string) => ({
      target: name,
      model,
      llm_client: { format: 'openai_chat', base_url: first.url },
      extra_body: {},
    });
    expect([status, body]).toEqual([
      200,
      { selected: target('cheap', 'small'), fallbacks: [target('strong', 'large')] },
    ]);
    expect(headers.get('x-plimsoll-selected')).toBe('first/small');
    expect([...first.requests, ...second.requests]).toEqual([]);
  },
);

test('a profile has the targets of its own ladder; an explicit model is obeyed', async () => {
  const { url, artifact } = await gatewayForTest();
  const profile = await decision(url, {
    input_format: 'openai_chat',
    request: ask(artifact.easy[0]!, 'auto:claude'),
  });
  expect(profile.body).toMatchObject({
    selected: { target: 'cheap', model: 'claude-haiku-4-5', llm_client: { format: 'anthropic_messages' } },
  });
  const explicit = await decision(url, { input_format: 'openai_chat', request: ask('Hello', 'first/large') });
  expect(explicit.body).toMatchObject({ selected: { target: 'strong' }, fallbacks: [] });
});

test('observe selects the strongest and says what routing would select', async () => {
  const { url, artifact } = await gatewayForTest();
  const request = ask(artifact.easy[0]!);
  const { body, headers } = await decision(url, { input_format: 'openai_chat', request, mode: 'observe' });
  expect(body).toMatchObject({ selected: { target: 'strong' }, fallbacks: [] });
  expect(headers.get('x-plimsoll-selected')).toBe('first/small');
});

test.each<readonly [string, object, string]>([
  ['no format', { request: ask('Hello') }, 'input_format'],
  ['an unknown format', { input_format: 'other', request: ask('Hello') }, 'input_format'],
  ['no request', { input_format: 'openai_chat' }, 'request'],
  ['a request that is a text', { input_format: 'openai_chat', request: 'Hello' }, 'request'],
  ['an unknown field', { input_format: 'openai_chat', request: ask('Hello'), modes: 'x' }, 'modes'],
  ['no messages', { input_format: 'openai_chat', request: { model: 'auto' } }, 'messages'],
  ['a deadline of 0', { input_format: 'openai_chat', request: ask('Hello'), deadline_ms: 0 }, 'deadline_ms'],
])('%s is refused, with the field', async (_, wrong, param) => {
  const { url } = await gatewayForTest();
  const { status, body } = await decision(url, wrong);
  expect([status, body]).toMatchObject([400, { error: { param } }]);
});

test('the deadline begins when the request comes, not when its body has been read', async () => {
  const { url, artifact } = await gatewayForTest();
  const body = JSON.stringify({
    input_format: 'openai_chat',
    request: ask(artifact.easy[0]!),
    deadline_ms: 400,
  });
  const selected = async (pauseMs: number) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    onTestFinished(() => void socket.destroy());
    socket.write(
      `POST /v1/decision HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`,
    );
    socket.write(body.slice(0, 20));
    await sleep(pauseMs);
    socket.write(body.slice(20));
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += chunk;
    return [/x-plimsoll-reason: (\S+)/i.exec(text)?.[1], /"target":"(\w+)"/.exec(text)?.[1]];
  };
  await selected(0); // warm
  expect(await selected(0)).toEqual(['within-threshold', 'cheap']);
  expect(await selected(600)).toEqual(['deadline', 'strong']);
});
