import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { decisionRecordSchema } from '../../router/records/decision-record.ts';
import { generateReply, startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { openaiEvents, openaiResponse, parseOpenaiRequest } from '../../scripts/fake-provider/openai.ts';
import { cascadeArtifact, judgeBy, SURE_IS_GOOD, withoutFinishReason } from '../helpers/cascade-artifact.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import {
  ask,
  gatewayForTest,
  KEY_VARIABLE,
  postRaw,
  type RunningGateway,
  type Wishes,
} from './running-gateway.ts';

const CHAT = '/v1/chat/completions';
const REPLY = { seed: 1, words: 16, toolCalls: 1 };

const sure = await cascadeArtifact();
/** Keeps every reply, whatever it is: nothing is needed of it. */
const lenient = await cascadeArtifact(judgeBy({}, -4));
const EASY = sure.easy[0]!;
const UNSURE = `${EASY} unsure`;
const HARD = sure.hard[0]!;

/** The cheap model is sure of its words, unless the prompt has the word unsure. */
function cascadeGateway({ config, upstream, ...wishes }: Wishes = {}): Promise<RunningGateway> {
  return gatewayForTest({
    ...wishes,
    config: { artifact: sure.folder, ...config },
    upstream: { logprob: ({ text }) => (text.includes('unsure') ? -3 : -0.01), ...upstream },
  });
}

/** What the provider would have said of its own accord, without log-probabilities. */
function said(body: object, model: string, stream: boolean): string {
  const reply = generateReply(parseOpenaiRequest({ ...body, model }), REPLY);
  return stream ? openaiEvents(reply, false).join('') : JSON.stringify(openaiResponse(reply));
}

const called = ({ first }: RunningGateway) => first.requests.map(({ body }) => body['model']);
const reasonOf = (response: Response) => response.headers.get('x-plimsoll-reason');

describe.each([false, true])('stream %s', (stream) => {
  test('a good reply goes out as it came, and nobody else is called', async () => {
    const running = await cascadeGateway();
    const body = { ...ask(EASY), stream };
    const sent = stream ? { ...body, stream_options: { include_usage: true } } : body;
    const response = await postRaw(running.url, CHAT, body);
    expect(await response.text()).toBe(said(body, 'small', stream));
    expect(reasonOf(response)).toBe('cascade-accepted');
    expect(response.headers.get('x-plimsoll-selected')).toBe('first/small');
    expect(response.headers.get('x-plimsoll-served')).toBe('first/small');
    expect(running.first.requests).toHaveLength(1);
    expect(running.first.requests[0]!.body).toEqual({ ...sent, model: 'small', logprobs: true });
  });

  test('after any other the strong model replies, and the client sees nothing else', async () => {
    const running = await cascadeGateway();
    const body = { ...ask(UNSURE), stream };
    const sent = stream ? { ...body, stream_options: { include_usage: true } } : body;
    const response = await postRaw(running.url, CHAT, body);
    expect(await response.text()).toBe(said(body, 'large', stream));
    expect(reasonOf(response)).toBe('cascade-escalated');
    expect(response.headers.get('x-plimsoll-selected')).toBe('first/large');
    expect(response.headers.get('x-plimsoll-attempts')).toBe('2');
    expect(running.first.requests.at(-1)!.body).toEqual({ ...sent, model: 'large' });
  });

  test('a prompt that is not worth a cheap call goes straight up', async () => {
    const running = await cascadeGateway();
    const response = await postRaw(running.url, CHAT, { ...ask(HARD), stream });
    expect(reasonOf(response)).toBe('cascade-skipped');
    expect(called(running)).toEqual(['large']);
    expect(response.headers.has('x-plimsoll-check-ms')).toBe(false);
  });

  test('a client that asks for log-probabilities gets them', async () => {
    const running = await cascadeGateway();
    const body = { ...ask(EASY), stream, logprobs: true };
    const response = await postRaw(running.url, CHAT, body);
    const reply = generateReply(parseOpenaiRequest({ ...body, model: 'small' }), {
      ...REPLY,
      logprob: () => -0.01,
    });
    const whole = stream ? openaiEvents(reply, false).join('') : JSON.stringify(openaiResponse(reply));
    expect(await response.text()).toBe(whole);
    expect(reasonOf(response)).toBe('cascade-accepted');
  });

  test('a reply that breaks off, or ends in an error, is never passed on', async () => {
    const running = await cascadeGateway();
    for (const fault of ['reset', 'half-event', 'cut', 'error-event', 'stall'] as const) {
      if (!stream && fault === 'error-event') continue; // intact, if plain
      running.first.faults.push(fault);
      if (!stream && fault !== 'half-event') running.first.faults.push(fault); // the retry
      const body = { ...ask(EASY), stream };
      const response = await postRaw(running.url, CHAT, body);
      const text = await response.text();
      running.first.faults.length = 0;
      if (called(running).at(-1) === 'large') expect(text).toBe(said(body, 'large', stream));
      else expect(text).toBe(said(body, 'small', stream)); // the retry went well
      if (stream) expect(called(running).at(-1)).toBe('large');
    }
  });

  test('a cheap model that fails falls back, as ever', async () => {
    const running = await cascadeGateway();
    running.first.faults.push('500', '500');
    const body = { ...ask(EASY), stream };
    const response = await postRaw(running.url, CHAT, body);
    expect(await response.text()).toBe(said(body, 'large', stream));
    expect(reasonOf(response)).toBe('cascade-escalated');
    expect(called(running)).toEqual(['small', 'small', 'large']);
    if (!stream) expect(response.headers.get('x-plimsoll-cost-usd')).not.toBeNull();
  });

  test('a request that is itself at fault is sent again without what Plimsoll asked for, and no more', async () => {
    const running = await cascadeGateway();
    const times = stream ? 3 : 2; // without log-probabilities, and without the tokens of the stream
    running.first.faults.push(...Array<'400'>(times).fill('400'));
    const response = await postRaw(running.url, CHAT, { ...ask(EASY), stream });
    expect(response.status).toBe(400);
    expect(called(running)).toEqual(Array(times).fill('small'));
  });

  test('after max_wait_ms the cheap call is aborted and the request escalates', async () => {
    const upstream = stream ? { chunkMs: 60 } : { slowMs: 60_000 };
    const file = path.join(scratchFolder(), 'decisions.jsonl');
    const running = await cascadeGateway({
      config: { cascade: { max_wait_ms: 300 }, decision_log: { file } },
      upstream,
    });
    if (!stream) running.first.faults.push('slow-first-byte');
    const body = { ...ask(EASY), stream };
    const response = await postRaw(running.url, CHAT, body);
    expect(await response.text()).toBe(said(body, 'large', stream));
    expect(called(running)).toEqual(['small', 'large']);
    expect(running.first.requests[0]!.aborted).toBe(true);
    await running.close();
    expect(recordsIn(file)).toMatchObject([
      {
        reason: 'cascade-escalated',
        cascade: { escalated: 'too-late' },
        attempts: [{}, { kind: 'escalation' }],
      },
    ]);
    const [{ cascade: { spent, cost_usd: checkUsd = 0 } = {}, cost_usd: usd = 0 } = {}] = recordsIn(file);
    const promptUsd = 1e-6 * (spent![0]!.usage!.input_tokens ?? 0);
    expect(spent).toMatchObject([{ model: 'first/small', estimated: true }]);
    expect(promptUsd).toBeGreaterThan(0);
    expect(spent![0]!.usage!.output_tokens).toBeLessThanOrEqual(stream ? 19 : 0); // events, whatever their log-probabilities
    if (stream)
      expect(checkUsd).toBeGreaterThan(promptUsd); // some words had come
    else expect(checkUsd).toBeCloseTo(promptUsd, 12);
    expect(usd).toBeGreaterThan(checkUsd);
    expect(response.headers.get('x-plimsoll-check-cost-usd')).toBe(checkUsd.toFixed(8));
    if (!stream) expect(response.headers.get('x-plimsoll-cost-usd')).toBe(usd.toFixed(8));
  });

  test('a client that leaves while its reply is held ends the cheap call, and no other begins', async () => {
    const running = await cascadeGateway({ upstream: { chunkMs: 1_000, delayMs: stream ? 0 : 60_000 } });
    const left = new AbortController();
    const response = fetch(`${running.url}${CHAT}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...ask(EASY), stream }),
      signal: left.signal,
    });
    await expect.poll(() => running.first.requests.length).toBe(1);
    left.abort();
    await expect(response).rejects.toThrow();
    await expect.poll(() => running.first.requests[0]!.aborted).toBe(true);
    expect(called(running)).toEqual(['small']);
  });

  test('a reply that there is no memory for is not held', async () => {
    const firstUrl = await saying(({ model }) => {
      const content = `${model} says${model === 'small' ? 'x'.repeat(2 ** 21) : ''}`;
      const message = `{"role":"assistant","content":"${content}"}`;
      const choice = `{"index":0,"${stream ? 'delta' : 'message'}":${message},"finish_reason":"stop"}`;
      return stream ? `data: {"choices":[${choice}]}\n\ndata: [DONE]\n\n` : `{"choices":[${choice}]}`;
    });
    const server = { port: 0, drain_timeout_ms: 500, max_bytes_at_work: 2 ** 20 };
    const running = await cascadeGateway({ firstUrl, config: { artifact: lenient.folder, server } });
    const response = await postRaw(running.url, CHAT, { ...ask(EASY), stream });
    expect(await response.text()).toContain('large says');
    expect(reasonOf(response)).toBe('cascade-escalated');
  });
});

/** Lines of the decision log, each of them checked against its schema. */
function recordsIn(file: string) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => decisionRecordSchema.parse(JSON.parse(line)));
}

test('both calls are counted, in headers, log and metrics', async () => {
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const running = await cascadeGateway({ config: { decision_log: { file } } });
  const accepted = await postRaw(running.url, CHAT, ask(EASY));
  const escalated = await postRaw(running.url, CHAT, ask(UNSURE));
  await postRaw(running.url, CHAT, ask(HARD));
  const { prompt_tokens: input, completion_tokens: output } = (
    (await escalated.json()) as { usage: Record<string, number> }
  ).usage as { prompt_tokens: number; completion_tokens: number };
  const cheapUsd = (input * 1 + output * 2) / 1e6;
  const strongUsd = (input * 10 + output * 20) / 1e6;
  const header = (name: string) => Number(escalated.headers.get(`x-plimsoll-${name}`));
  expect(header('check-cost-usd')).toBeCloseTo(cheapUsd, 8);
  expect(header('cost-usd')).toBeCloseTo(cheapUsd + strongUsd, 8);
  expect(header('baseline-cost-usd')).toBeCloseTo(strongUsd, 8);
  expect(header('check-ms')).toBeGreaterThan(0);
  expect(accepted.headers.has('x-plimsoll-check-cost-usd')).toBe(false);
  const metrics = await (await fetch(`${running.url}/metrics`)).text();
  await running.close();
  const records = recordsIn(file);
  expect(records).toMatchObject([
    { reason: 'cascade-accepted', cascade: { model: 'first/small', skip: 0.5 }, threshold: 0.3 },
    {
      reason: 'cascade-escalated',
      selected: 'first/large',
      served: 'first/large',
      cascade: {
        model: 'first/small',
        escalated: 'loss',
        spent: [{ model: 'first/small', usage: { output_tokens: output } }],
      },
      attempts: [
        { model: 'first/small', kind: 'first' },
        { model: 'first/large', kind: 'escalation', outcome: 'answer' },
      ],
    },
    { reason: 'cascade-skipped' },
  ]);
  expect(records[0]!.cascade!.reply_loss).toBeLessThan(0.3);
  expect(records[0]!.cascade).not.toHaveProperty('escalated');
  expect(records[1]!.cascade!.reply_loss).toBeGreaterThan(0.3);
  expect(records[1]!.cost_usd).toBeCloseTo(cheapUsd + strongUsd, 12);
  expect(records[1]!.cascade!.cost_usd).toBeCloseTo(cheapUsd, 12);
  expect(records[2]).not.toHaveProperty('cascade');
  expect(metrics).toContain('plimsoll_cascade_checks_total{model="first/small",outcome="accepted"} 1');
  expect(metrics).toContain('plimsoll_cascade_checks_total{model="first/small",outcome="loss"} 1');
  expect(metrics).toContain('plimsoll_cascade_check_seconds_count 2');
  expect(metrics).toMatch(/plimsoll_output_tokens_total\{model="first\/small"\} 34/);
});

test.each([
  ['openai', 'auto'],
  ['openai', 'auto:claude'],
  ['anthropic', 'auto'],
  ['anthropic', 'auto:claude'],
] as const)("the official %s client's stream, %s", async (client, model) => {
  const running = await cascadeGateway({ config: { artifact: lenient.folder } });
  const text = await streamedText(running, client, model);
  expect(text).toMatch(/^(small|claude-haiku-4-5):( \S+){16}$/);
  expect(running.first.requests).toHaveLength(1);
});

async function streamedText(
  { openai, anthropic }: RunningGateway,
  client: 'openai' | 'anthropic',
  model: string,
  text = EASY,
): Promise<string | null> {
  if (client === 'openai') {
    const done = await openai.chat.completions.stream(ask(text, model)).finalChatCompletion();
    return done.choices[0]!.message.content;
  }
  return anthropic.messages.stream(ask(text, model)).finalText();
}

test.each([false, true])(
  'a mapped reply is judged by what its provider says of it (stream %s)',
  async (stream) => {
    const running = await cascadeGateway();
    const reasons: (string | null)[] = [];
    for (const text of [EASY, UNSURE]) {
      const response = await postRaw(running.url, '/v1/messages', { ...ask(text), stream });
      expect(await response.text()).not.toContain('logprob');
      reasons.push(reasonOf(response));
    }
    expect(reasons).toEqual(['cascade-accepted', 'cascade-escalated']);
    expect(called(running)).toEqual(['small', 'small', 'large']);
  },
);

test.each([false, true])("Google's log-probabilities are asked for and read (stream %s)", async (stream) => {
  const google = await startFakeProvider({
    logprob: ({ text }) => (text.includes('unsure') ? -3 : -0.01),
    strict: true,
  });
  onTestFinished(google.close);
  const running = await cascadeGateway({
    config: {
      providers: {
        google: { kind: 'google', base_url: google.url.replace(/v1$/, 'v1beta'), api_key_env: KEY_VARIABLE },
      },
      models: {},
      profiles: {},
      ladder: { cheap: 'google/gemini-2.5-flash', strong: 'google/gemini-2.5-pro' },
    },
  });
  const reasons: (string | null)[] = [];
  for (const text of [EASY, UNSURE]) {
    const response = await postRaw(running.url, CHAT, { ...ask(text), stream });
    await response.text();
    reasons.push(reasonOf(response));
  }
  expect(reasons).toEqual(['cascade-accepted', 'cascade-escalated']);
  const config = google.requests.map(
    ({ body }) => body['generationConfig'] as { responseLogprobs?: boolean },
  );
  expect(config.map(({ responseLogprobs }) => responseLogprobs)).toEqual([true, true, undefined]);
});

test('a provider without log-probabilities is not called for a reply that could not be judged', async () => {
  const running = await cascadeGateway();
  const response = await postRaw(running.url, '/v1/messages', ask(EASY, 'auto:claude'));
  expect(reasonOf(response)).toBe('cascade-unchecked');
  expect(called(running)).toEqual(['claude-sonnet-4-5']);
});

test('a model that refuses log-probabilities is called without them, and then no more where the judge needs them', async () => {
  const reasoning = { 'first/o4-mini': { price: { input: 1, output: 2 } }, 'first/large': {} };
  const config = {
    ladder: { cheap: 'first/o4-mini', strong: 'first/large' },
    models: reasoning,
    profiles: {},
  };
  const body = { model: 'auto', messages: [{ role: 'user', content: EASY }] };
  const needy = await cascadeGateway({ config, upstream: { strict: true } });
  const responses = [];
  for (let i = 0; i < 3; i++) responses.push(await postRaw(needy.url, CHAT, body));
  const reasons = responses.map(reasonOf);
  expect(reasons).toEqual(['cascade-escalated', 'cascade-unchecked', 'cascade-unchecked']);
  expect(called(needy)).toEqual(['o4-mini', 'o4-mini', 'large', 'large', 'large']);
  const attempts = responses.map(({ headers }) => headers.get('x-plimsoll-attempts'));
  expect(attempts).toEqual(['3', '1', '1']);
  expect(needy.log.filter((line) => line.includes('gives no log-probabilities'))).toHaveLength(1);

  const other = await cascadeGateway({
    config: { ...config, artifact: lenient.folder },
    upstream: { strict: true },
  });
  for (let i = 0; i < 2; i++) expect(reasonOf(await postRaw(other.url, CHAT, body))).toBe('cascade-accepted');
  expect(other.first.requests.map(({ body: { logprobs } }) => logprobs)).toEqual([
    true,
    undefined,
    undefined,
  ]);
});

interface Asked {
  readonly model: string;
  readonly stream?: boolean;
  readonly logprobs?: boolean;
}

/** Replies that no fake provider can send, as text. */
async function saying(bodyFor: (asked: Asked) => string): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const asked = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
      const type = asked.stream === true ? 'text/event-stream' : 'application/json';
      response.writeHead(200, { 'content-type': type });
      response.end(bodyFor(asked));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

describe.each(['-Infinity', '-1e308', 'NaN', '0.5', '1e999', '"-0.01"', 'null'])(
  'a log-probability of %s',
  (logprob) => {
    test.each([false, true])('is none, and never reaches the client (stream %s)', async (stream) => {
      const asked = `{"content":[{"token":"a","logprob":-0.01},{"token":"b","logprob":${logprob}}]}`;
      const firstUrl = await saying(({ model, logprobs = false }) => {
        const tokens = logprobs ? asked : 'null';
        const end = `"logprobs":${tokens},"finish_reason":"stop"`;
        if (!stream)
          return `{"choices":[{"index":0,"message":{"role":"assistant","content":"${model} says"},${end}}]}`;
        const deltas = [
          '{"role":"assistant"},"logprobs":null,"finish_reason":null',
          `{"content":"${model} says"},"logprobs":${tokens},"finish_reason":null`,
          '{},"logprobs":null,"finish_reason":"stop"',
        ];
        const events = deltas.map((delta) => `data: {"choices":[{"index":0,"delta":${delta}}]}\n\n`);
        return `${events.join('')}data: [DONE]\n\n`;
      });
      const judged = await cascadeGateway({ firstUrl });
      const escalated = await postRaw(judged.url, CHAT, { ...ask(EASY), stream });
      expect(await escalated.text()).toContain('large says');
      expect(reasonOf(escalated)).toBe('cascade-escalated');
      const kept = await cascadeGateway({ firstUrl, config: { artifact: lenient.folder } });
      const accepted = await postRaw(kept.url, CHAT, { ...ask(EASY), stream });
      const text = await accepted.text();
      expect(text).toContain('small says');
      expect(text).not.toContain('token');
      expect(text).toContain('"logprobs":null,"finish_reason"');
    });
  },
);

describe('what cannot be judged goes to the strong model without a cheap call', () => {
  const TOOL = { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } };
  const PICTURE = [
    { type: 'text', text: EASY },
    { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
  ];
  test.each([
    ['several replies', { n: 2 }],
    ['a picture', { messages: [{ role: 'user', content: PICTURE }] }],
    ['tools, where the judge needs a text', { tools: [TOOL] }],
  ])('%s', async (_, fields) => {
    const needsText = await cascadeArtifact(judgeBy({ mean_logprob_log: -8, length_log: 0.001 }, -4));
    const running = await cascadeGateway({ config: { artifact: needsText.folder } });
    const response = await postRaw(running.url, CHAT, { ...ask(EASY), ...fields });
    expect(reasonOf(response)).toBe('cascade-unchecked');
    expect(called(running)).toEqual(['large']);
  });

  test('a decision without a call, and a model by name is obeyed', async () => {
    const running = await cascadeGateway();
    const decided = await postRaw(running.url, '/v1/route', { prompt: EASY });
    expect(await decided.json()).toMatchObject({ candidate: 'strong', reason: 'cascade-unchecked' });
    const named = await postRaw(running.url, CHAT, ask(EASY, 'first/small'));
    expect(reasonOf(named)).toBe('explicit-model');
    expect(running.first.requests[0]!.body).not.toHaveProperty('logprobs');
  });
});

describe('a reply of the wrong form escalates, whatever the judge makes of it', () => {
  const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
  const tools = [{ type: 'function', function: { name: 'weather', parameters } }];
  const calling = (input: object) => ({ script: { turns: [{ calls: [{ tool: 'weather', input }] }] } });

  test.each([
    ['a call that its schema allows', { tools }, calling({ city: 'Rome' }), 'cascade-accepted'],
    ['one that it does not', { tools }, calling({ town: 'Rome' }), 'cascade-escalated'],
    [
      'no call where one is required',
      { tools, tool_choice: 'required' },
      { script: { turns: [] } },
      'cascade-escalated',
    ],
    [
      'text where JSON is wanted',
      { response_format: { type: 'json_object' } },
      { script: { turns: [], text: 'no JSON' } },
      'cascade-escalated',
    ],
    [
      'JSON of the schema',
      { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: parameters } } },
      {},
      'cascade-accepted',
    ],
    [
      'JSON of another',
      { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: parameters } } },
      { script: { turns: [], text: '{"town":"Rome"}' } },
      'cascade-escalated',
    ],
  ])('%s', async (_, fields, upstream, reason) => {
    for (const stream of [false, true]) {
      const running = await cascadeGateway({ config: { artifact: lenient.folder }, upstream });
      const response = await postRaw(running.url, CHAT, { ...ask(EASY), ...fields, stream });
      await response.text();
      expect(reasonOf(response)).toBe(reason);
    }
  });
});

/** The whole stream and what follows it. */
function streamed(url: string, body: object, headers = {}) {
  interface Whole {
    readonly text: string;
    readonly headers: IncomingHttpHeaders;
    readonly trailers: Record<string, string | undefined>;
  }
  return new Promise<Whole>((resolve, reject) => {
    const options = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } };
    const sent = httpRequest(`${url}${CHAT}`, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ text, headers: response.headers, trailers: response.trailers }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(JSON.stringify({ ...body, stream: true }));
  });
}

describe('while a reply is held for long', () => {
  const config = { gateway: { heartbeat_ms: 50 } };
  const upstream = { chunkMs: 15 }; // 19 events

  test('a stream shows that it is alive, then passes the reply on as it came', async () => {
    const running = await cascadeGateway({ config, upstream });
    for (const [text, model, reason] of [
      [EASY, 'small', 'cascade-accepted'],
      [UNSURE, 'large', 'cascade-escalated'],
    ] as const) {
      const body = ask(text);
      const reply = await streamed(running.url, body);
      expect(reply.text).toMatch(/^: /);
      expect(reply.text.replaceAll(/^: .*\n\n/gm, '')).toBe(said({ ...body, stream: true }, model, true));
      expect(reply.headers).toMatchObject({ 'x-plimsoll-reason': 'cascade-check' });
      expect(reply.trailers).toMatchObject({
        'x-plimsoll-reason': reason,
        'x-plimsoll-served': `first/${model}`,
        'x-plimsoll-selected': `first/${model}`,
      });
      const { 'x-plimsoll-check-ms': ms, 'x-plimsoll-check-cost-usd': usd } = reply.trailers;
      expect(Number(ms)).toBeGreaterThan(0);
      if (reason === 'cascade-accepted') expect(usd).toBeUndefined();
      else expect(Number(usd)).toBeGreaterThan(0);
      for (const name of Object.keys(reply.trailers)) expect(reply.headers.trailer).toContain(name);
    }
  });

  test.each(['openai', 'anthropic'] as const)('the official %s client reads it', async (client) => {
    const running = await cascadeGateway({ config, upstream });
    expect(await streamedText(running, client, 'auto')).toMatch(/^small:( \S+){16}$/);
    expect(await streamedText(running, client, 'auto', UNSURE)).toMatch(/^large:( \S+){16}$/);
  });

  test('a failure after that ends the stream with an error event', async () => {
    const file = path.join(scratchFolder(), 'decisions.jsonl');
    const running = await cascadeGateway({ config: { ...config, decision_log: { file } }, upstream });
    const { openai, first } = running;
    const failing = openai.chat.completions.stream(ask(UNSURE)).finalChatCompletion();
    await expect.poll(() => first.requests.length).toBe(1);
    first.failAlways('503');
    await expect(failing).rejects.toThrow(/No model could answer/);
    await running.close();
    expect(recordsIn(file)).toMatchObject([{ status: 200, ended: 'broken', reason: 'cascade-escalated' }]);
  });

  test.each(['500', '400', 'reset'] as const)(
    'a failure after that (%s) says in its trailers what it came to, the cost included',
    async (fault) => {
      const running = await cascadeGateway({ config, upstream });
      const { first } = running;
      const failing = streamed(running.url, ask(UNSURE));
      await expect.poll(() => first.requests.length).toBe(1);
      if (fault === 'reset') first.faults.push(fault);
      else first.failAlways(fault);
      const { text, headers, trailers } = await failing;
      expect(text).toMatch(/^: [\s\S]*"error"/);
      expect(headers['x-plimsoll-reason']).toBe('cascade-check');
      expect(trailers).toMatchObject({
        'x-plimsoll-reason': 'cascade-escalated',
        'x-plimsoll-selected': 'first/large',
        'x-plimsoll-attempts': String(first.requests.length),
      });
      expect(Number(trailers['x-plimsoll-check-ms'])).toBeGreaterThan(0);
      expect(Number(trailers['x-plimsoll-check-cost-usd'])).toBeGreaterThan(0);
    },
  );
});

test.each([false, true])(
  'a reply that its provider’s filter ended does not go out, whatever the judge learned (stream %s)',
  async (stream) => {
    const unknowing = await cascadeArtifact(withoutFinishReason(SURE_IS_GOOD));
    const blocked = createServer(async (request, response) => {
      const { model } = JSON.parse(Buffer.concat(await request.toArray()).toString('utf8'));
      const finish_reason = model === 'small' ? 'content_filter' : 'stop';
      const said = { role: 'assistant', content: `${model}: half` };
      const choice = { index: 0, logprobs: { content: [{ token: 'half', logprob: -0.01 }] }, finish_reason };
      const reply = { id: 'x', created: 0, model };
      if (!stream) {
        response.setHeader('content-type', 'application/json');
        const choices = [{ ...choice, message: said }];
        return void response.end(JSON.stringify({ ...reply, object: 'chat.completion', choices }));
      }
      response.setHeader('content-type', 'text/event-stream');
      const chunk = { ...reply, object: 'chat.completion.chunk', choices: [{ ...choice, delta: said }] };
      response.end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
    });
    await new Promise<void>((resolve) => blocked.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void blocked.close());
    const file = path.join(scratchFolder(), 'decisions.jsonl');
    const running = await cascadeGateway({
      config: { artifact: unknowing.folder, decision_log: { file } },
      firstUrl: `http://127.0.0.1:${(blocked.address() as AddressInfo).port}`,
    });
    const response = await postRaw(running.url, CHAT, { ...ask(EASY), stream });
    expect(await response.text()).toContain('large: half');
    expect(reasonOf(response)).toBe('cascade-escalated');
    await running.close();
    expect(recordsIn(file)).toMatchObject([{ cascade: { escalated: 'content-filter' } }]);
  },
);

test('what the judge never saw in training is said at the start, once', async () => {
  const unknowing = await cascadeArtifact(withoutFinishReason(SURE_IS_GOOD));
  const running = await cascadeGateway({ config: { artifact: unknowing.folder } });
  running.reconfigure();
  const warnings = running.log.map((line) => JSON.parse(line)).filter(({ msg }) => /^Artifact /.test(msg));
  expect(warnings).toMatchObject([
    { level: 'warn', msg: expect.stringContaining('tiny-cheap-1 are alike in refusal: ') },
    { level: 'warn', msg: expect.stringContaining('No training reply of tiny-cheap-1 has finish_reason: ') },
  ]);
});

test('a cascade that has not passed the gate serves nobody', async () => {
  const failed = await cascadeArtifact(undefined, { verdict: 'FAIL' });
  const config = { artifact: failed.folder };
  await expect(gatewayForTest({ config })).rejects.toMatchObject({ code: 'ungated' });
});
