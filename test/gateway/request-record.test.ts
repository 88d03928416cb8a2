import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createKey } from '../../router/access/index.ts';
import { decisionRecordSchema } from '../../router/records/decision-record.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, clientsOf, gatewayForTest, KEY_VARIABLE, postRaw, UPSTREAM_KEY } from './running-gateway.ts';

const MARKER = 'marker-of-a-prompt-5d41402a';

/** Lines of the decision log, each of them checked against its schema. */
function recordsIn(file: string) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => decisionRecordSchema.parse(JSON.parse(line)));
}

test('one record a request: routed, named, streamed, refused, failed, broken', async () => {
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const running = await gatewayForTest({ config: { decision_log: { file } } });
  const { openai, anthropic, artifact, first } = running;
  const routed = await openai.chat.completions.create(ask(artifact.easy[0]!)).withResponse();
  await anthropic.messages.stream(ask('Hello', 'claude/small')).finalMessage();
  await openai.chat.completions.create(ask('Hello', 'auto:nobody')).catch(() => {});
  first.failAlways('503');
  await openai.chat.completions.create(ask('Hello', 'first/small')).catch(() => {});
  first.failAlways('reset');
  await openai.chat.completions
    .stream(ask('Hello', 'first/small'))
    .finalChatCompletion()
    .catch(() => {});
  const metrics = await (await fetch(`${running.url}/metrics`)).text();
  await running.close();
  const records = recordsIn(file);
  expect(records).toMatchObject([
    {
      id: routed.response.headers.get('x-plimsoll-decision-id'),
      dialect: 'openai',
      requested_model: 'auto',
      selected: 'first/small',
      served: 'first/small',
      reason: 'within-threshold',
      verdict: 'stale',
      ungated_reason: 'other-models',
      threshold: 0.3,
      status: 200,
      ended: 'whole',
      usage: { output_tokens: 17 },
      attempts: [{ model: 'first/small', kind: 'first', outcome: 'answer', status: 200 }],
    },
    {
      dialect: 'anthropic',
      stream: true,
      reason: 'explicit-model',
      served: 'claude/small',
      ended: 'whole',
      usage: { output_tokens: 17 },
    },
    { requested_model: 'auto:nobody', reason: 'refused', status: 404, attempts: [] },
    { selected: 'first/small', status: 503, attempts: [{ outcome: 'overloaded' }, { kind: 'retry' }] },
    { selected: 'first/small', served: 'first/small', stream: true, ended: 'broken' },
  ]);
  expect(records[0]!.cost_usd).toBe(Number(routed.response.headers.get('x-plimsoll-cost-usd')));
  expect(records[3]).not.toHaveProperty('served');
  expect(new Set(records.map(({ id }) => id)).size).toBe(5);
  expect(counted(metrics, 'plimsoll_requests_total')).toBe(5);
  expect(counted(metrics, 'plimsoll_attempts_total')).toBe(1 + 1 + 0 + 2 + 1);
  expect(counted(metrics, 'plimsoll_unfinished_answers_total')).toBe(1);
});

/** A provider that repeats the key that it was sent, in headers and, where it refuses, in its error. */
async function parrot(status: number): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    const said = String(request.headers.authorization ?? request.headers['x-api-key']);
    response.writeHead(status, {
      'content-type': 'application/json',
      'x-your-key': said,
      'set-cookie': `key=${said}`,
    });
    const error = { message: `wrong: ${said}`, type: 'invalid_request_error', param: null, code: said };
    response.end(JSON.stringify(status === 200 ? { object: 'chat.completion' } : { error }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

test.each([200, 400, 401, 422, 429, 500])(
  'no secret and no prompt in answers, headers, log, decision log and metrics; the provider repeats its key with %i',
  async (status) => {
    const folder = scratchFolder();
    const file = path.join(folder, 'decisions.jsonl');
    const keys = path.join(folder, 'keys.json');
    const { key } = createKey(keys, { name: 'ci', now: new Date() });
    const running = await gatewayForTest({
      config: { decision_log: { file }, access: { keys_file: keys } },
      firstUrl: await parrot(status),
    });
    const { url, artifact } = running;
    const seen: string[] = [];
    const send = async (route: string, body: object, headers: Record<string, string>) => {
      const response = await postRaw(url, route, body, headers);
      seen.push(JSON.stringify([...response.headers]), await response.text());
    };
    const bearer = { authorization: `Bearer ${key}` };
    for (const stream of [false, true]) {
      const text = `${artifact.hard[0]!} ${MARKER}`;
      for (const model of ['auto', 'first/small', 'second/large', 'claude/small', 'auto:nobody']) {
        await send('/v1/chat/completions', { ...ask(text, model), stream }, bearer);
        await send('/v1/messages', { ...ask(text, model), stream }, { 'x-api-key': key });
      }
    }
    await send('/v1/chat/completions', ask(MARKER), { authorization: `Bearer ${key}x` });
    await send('/v1/chat/completions', { model: 'auto', messages: [{ role: MARKER, content: 3 }] }, bearer);
    seen.push(await (await fetch(`${url}/metrics`, { headers: bearer })).text());
    await running.close();
    const written = readFileSync(file, 'utf8');
    expect(recordsIn(file)).toHaveLength(21);
    expect(running.log.length).toBeGreaterThan(0);
    for (const text of [...seen, ...running.log, written]) {
      expect(text).not.toContain(UPSTREAM_KEY);
      expect(text).not.toContain(key);
      expect(text).not.toContain(MARKER);
    }
  },
);

test('what people asked is written where the operator wants it, and only there', async () => {
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const running = await gatewayForTest({ config: { decision_log: { file, include_prompt: true } } });
  await clientsOf(running.url).openai.chat.completions.create(ask(MARKER));
  await running.close();
  expect(recordsIn(file)[0]!.prompt).toBe(MARKER);
  expect(running.log.join('\n')).not.toContain(MARKER);
});

/** The sum of a counter over all its labels. */
function counted(metrics: string, name: string): number {
  return [...metrics.matchAll(new RegExp(`^${name}\\{.*\\} (\\d+)$`, 'gm'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
}

test("a stream in Google's own API is recorded as one, a plain reply is not", async () => {
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const fake = await gatewayForTest();
  const gemini = { kind: 'google' as const, base_url: `${fake.first.url}beta`, api_key_env: KEY_VARIABLE };
  const running = await gatewayForTest({
    config: {
      ladder: { cheap: 'gemini/small', strong: 'gemini/large' },
      profiles: {},
      providers: { gemini },
      models: { 'gemini/small': {}, 'gemini/large': {} },
      decision_log: { file },
    },
  });
  for (const method of [
    'streamGenerateContent?alt=sse',
    'generateContent',
    'countTokens?alt=:streamGenerateContent',
  ])
    await (
      await postRaw(running.url, `/v1beta/models/gemini/small:${method}`, {
        contents: [{ parts: [{ text: 'Hi' }] }],
      })
    ).text();
  await running.close();
  expect(recordsIn(file).map(({ stream, status }) => [stream, status])).toEqual([
    [true, 200],
    [false, 200],
    [false, 200],
  ]);
});
