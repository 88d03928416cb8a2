import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cascadeArtifact, judgeBy } from '../helpers/cascade-artifact.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

interface Asked {
  readonly model: string;
  readonly stream?: boolean;
  readonly logprobs?: boolean;
  readonly messages: readonly { readonly content: string }[];
}

/** A provider that says what it is told; each request is counted by its model. */
async function saying(textFor: (asked: Asked, nth: number) => string, logprob = -0.1) {
  const asked: Asked[] = [];
  const keys: unknown[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
      const nth = asked.filter(({ model }) => model === body.model).length;
      asked.push(body);
      keys.push(request.headers['idempotency-key']);
      const text = textFor(body, nth);
      if (text === 'never') return;
      if (text === '503') return void response.writeHead(503).end('{}');
      const logprobs = body.logprobs === true ? { content: [{ token: text, logprob }] } : null;
      const said = { role: 'assistant', content: text };
      const choice = (part: object) => ({
        choices: [{ index: 0, ...part, logprobs, finish_reason: 'stop' }],
      });
      const usage = { prompt_tokens: 1_000_000, completion_tokens: 0, total_tokens: 1_000_000 };
      response.writeHead(200, {
        'content-type': body.stream === true ? 'text/event-stream' : 'application/json',
      });
      if (body.stream !== true)
        return void response.end(JSON.stringify({ ...choice({ message: said }), usage }));
      response.end(`data: ${JSON.stringify({ ...choice({ delta: said }), usage })}\n\ndata: [DONE]\n\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { asked, keys, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

const AGREED = judgeBy({ agreement: -8 }, 4);
const VERIFIED = judgeBy({ verifier: -8 }, 4);

async function gatewayWith(judge: typeof AGREED, firstUrl: string, cascade: object, log?: string) {
  const { folder, easy } = await cascadeArtifact(judge);
  const models = {
    'first/small': { price: { input: 1, output: 2 } },
    'first/large': {},
    'first/checker': { price: { input: 3, output: 3 } },
  };
  const running = await gatewayForTest({
    firstUrl,
    config: { artifact: folder, cascade, models, profiles: {}, ...(log && { decision_log: { file: log } }) },
  });
  const send = (stream: boolean, headers = {}) =>
    postRaw(running.url, '/v1/chat/completions', { ...ask(easy[0]!), stream }, headers);
  return { ...running, send };
}

test.each([
  ['agree, but for case and marks', ['Twelve.', 'twelve', ' TWELVE!'], 'cascade-accepted'],
  ['do not', ['12', '11', '13'], 'cascade-escalated'],
  ['do not come', ['12', '503', '503'], 'cascade-escalated'],
])('samples that %s', async (_, texts, reason) => {
  for (const stream of [false, true]) {
    const provider = await saying(({ model }, nth) =>
      model === 'small' ? texts[Math.min(nth, 2)]! : 'strong',
    );
    const { send } = await gatewayWith(AGREED, provider.url, { samples: 3 });
    const response = await send(stream, { 'idempotency-key': 'once' });
    const text = await response.text();
    expect(response.headers.get('x-plimsoll-reason')).toBe(reason);
    expect(text).toContain(reason === 'cascade-accepted' ? 'Twelve.' : 'strong');
    const samples = provider.asked.filter(({ model }) => model === 'small');
    expect(samples.slice(1).every((one) => one.stream === false)).toBe(true);
    expect(provider.keys.filter((key) => key === 'once')).toHaveLength(reason === 'cascade-accepted' ? 0 : 1);
  }
});

test.each([
  ['Yes', -0.01, 'cascade-accepted'],
  ['yes.', -0.01, 'cascade-accepted'],
  ['Yes', -2, 'cascade-escalated'], // it is not sure
  ['No', -0.01, 'cascade-escalated'],
  ['Perhaps', -0.01, 'cascade-escalated'],
  ['503', -0.01, 'cascade-escalated'],
])('a verifier that says %s (%d)', async (word, logprob, reason) => {
  const provider = await saying(({ model }) => (model === 'checker' ? word : 'twelve'), logprob);
  const { send } = await gatewayWith(VERIFIED, provider.url, { verifier: 'first/checker' });
  const response = await send(false);
  expect(response.headers.get('x-plimsoll-reason')).toBe(reason);
  const checked = provider.asked.find(({ model }) => model === 'checker')!;
  expect(checked.messages[0]!.content).toContain('It replied:\n\ntwelve');
});

test('what they cost is counted also if the reply goes out', async () => {
  const provider = await saying(({ model }) => (model === 'checker' ? 'Yes' : 'twelve'), -0.001);
  const { send, url } = await gatewayWith(VERIFIED, provider.url, { verifier: 'first/checker', samples: 3 });
  const response = await send(false);
  expect(response.headers.get('x-plimsoll-check-cost-usd')).toBe('3.00000000');
  expect(response.headers.get('x-plimsoll-cost-usd')).toBe('4.00000000');
  expect(response.headers.get('x-plimsoll-attempts')).toBe('2'); // no samples: the judge does not use them
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('plimsoll_cost_usd_total{model="first/checker"} 3');
});

test('samples and a verifier that are cut off by the deadline count with their prompts', async () => {
  const provider = await saying(({ model }, nth) =>
    model === 'checker' || (model === 'small' && nth > 0) ? 'never' : 'twelve',
  );
  const both = judgeBy({ agreement: -8, verifier: -8 }, 4);
  const cascade = { samples: 3, verifier: 'first/checker', max_wait_ms: 500 };
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const { send, close } = await gatewayWith(both, provider.url, cascade, file);
  const response = await send(false);
  expect(response.headers.get('x-plimsoll-reason')).toBe('cascade-escalated');
  const judgedUsd = 1; // a million tokens
  const cutOffUsd = Number(response.headers.get('x-plimsoll-check-cost-usd')) - judgedUsd;
  expect(cutOffUsd).toBeGreaterThan(0);
  expect(cutOffUsd).toBeLessThan(0.001);
  await close();
  const [record] = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  expect(record.cascade.escalated).toBe('too-late'); // nobody had judged it
  expect(record.cascade).not.toHaveProperty('reply_loss');
});

test.each([
  [AGREED, 'cascade.samples is not set'],
  [VERIFIED, 'cascade.verifier is not set'],
])('a judge that needs what is not asked for checks nothing, and the log says so', async (judge, message) => {
  const provider = await saying(() => 'twelve');
  const { send, log } = await gatewayWith(judge, provider.url, {});
  expect((await send(false)).headers.get('x-plimsoll-reason')).toBe('cascade-unchecked');
  expect(provider.asked.map(({ model }) => model)).toEqual(['large']);
  expect(log.some((line) => line.includes(message))).toBe(true);
});

const VALIDATORS = [{ command: ['true'] }];

test.each([
  [
    'a judge that learned from neither',
    judgeBy({}, -4),
    { samples: 3, verifier: 'first/checker' },
    ['samples', 'verifier'],
  ],
  ['one that learned from samples', AGREED, { samples: 3, verifier: 'first/checker' }, ['verifier']],
  [
    'one that learned from a verifier',
    VERIFIED,
    { samples: 3, verifier: 'first/checker', validators: VALIDATORS },
    ['samples'],
  ],
])('%s: the log names the fields that do nothing', async (_, judge, cascade, idle) => {
  const provider = await saying(() => 'twelve');
  const { log } = await gatewayWith(judge, provider.url, cascade);
  expect(idleFields(log)).toEqual(idle.map((name) => `cascade.${name}`));
});

test('without a cascade all of them do nothing, and a profile is named by its own field', async () => {
  const tiny = await tinyArtifact();
  const { folder } = await cascadeArtifact(AGREED);
  const models = { 'first/small': {}, 'first/large': {} };
  const verifier = 'first/large';
  const plain = await gatewayForTest({
    config: {
      artifact: tiny.folder,
      models,
      profiles: {},
      cascade: { samples: 2, verifier, validators: VALIDATORS },
    },
  });
  expect(idleFields(plain.log)).toEqual(['cascade.samples', 'cascade.verifier', 'cascade.validators']);
  expect(plain.log.join()).toContain('has no cascade');
  const profiles = {
    inherits: {},
    judged: { cascade: { verifier } },
    alone: { cascade: { samples: 4, verifier } },
    off: { cascade: 'off' as const },
  };
  const mixed = await gatewayForTest({
    config: { artifact: folder, models, profiles, cascade: { samples: 2 } },
  });
  expect(idleFields(mixed.log)).toEqual([
    'profiles.judged.cascade.verifier',
    'profiles.alone.cascade.verifier',
  ]);
});

test('a profile whose judge needs what nobody asks for is named', async () => {
  const { folder } = await cascadeArtifact(AGREED);
  const profiles = { chat: { artifact: folder } };
  const { log } = await gatewayForTest({ config: { profiles } });
  expect(log.join()).toContain('needs several samples, and profiles.chat.cascade.samples is not set');
});

/** Of the lines of a log. */
function idleFields(log: readonly string[]): string[] {
  return log
    .flatMap((line) => /(\S*cascade\.\w+) does nothing/.exec(line)?.[1] ?? [])
    .map((field) => field.replace(/^.*"/, ''));
}

test('a verifier that is not in the catalog is an error at start', async () => {
  const config = { cascade: { verifier: 'nobody/model' } };
  await expect(gatewayForTest({ config })).rejects.toMatchObject({
    code: 'invalid-config',
    place: { field: 'cascade.verifier' },
  });
});
