import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { decisionRecordSchema } from '../../router/records/decision-record.ts';
import { generateReply } from '../../scripts/fake-provider/index.ts';
import { openaiEvents, openaiResponse, parseOpenaiRequest } from '../../scripts/fake-provider/openai.ts';
import { judgeBy, threeRungCascade } from '../helpers/cascade-artifact.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import {
  ask,
  gatewayForTest,
  postRaw,
  QUICK_UPSTREAM,
  type RunningGateway,
  type Wishes,
} from './running-gateway.ts';

const CHAT = '/v1/chat/completions';
const REPLY = { seed: 1, words: 16, toolCalls: 1 };
const PRICES = {
  small: { input: 1, output: 2 },
  medium: { input: 3, output: 6 },
  large: { input: 10, output: 20 },
};

const artifact = await threeRungCascade();
const EASY = artifact.easy[0]!;
/** Of which the small model, or the small and the medium one, are not sure. */
const TRICKY = `${EASY} tricky`;
const TRICKIER = `${EASY} trickier`;
const HARD = artifact.hard[0]!;

/** first/small -> first/medium -> first/large. */
function climbingGateway({ config, upstream, ...wishes }: Wishes = {}): Promise<RunningGateway> {
  return gatewayForTest({
    ...wishes,
    config: {
      artifact: artifact.folder,
      ladder: { cheap: 'first/small', middle: 'first/medium', strong: 'first/large' },
      models: Object.fromEntries(Object.entries(PRICES).map(([name, price]) => [`first/${name}`, { price }])),
      profiles: {},
      ...config,
    },
    upstream: {
      logprob: ({ text, model }) => {
        const doubted = text.includes('trickier')
          ? ['small', 'medium']
          : text.includes('tricky')
            ? ['small']
            : [];
        return doubted.includes(model) ? -3 : -0.01;
      },
      ...upstream,
    },
  });
}

/** What the provider would have said of its own accord, without log-probabilities. */
function said(body: object, model: string, stream: boolean): string {
  const reply = generateReply(parseOpenaiRequest({ ...body, model }), REPLY);
  return stream ? openaiEvents(reply, false).join('') : JSON.stringify(openaiResponse(reply));
}

/** The fault of a reply that comes all the same, for the requests before the one that fails. */
const UNHARMED = 'gzip';

const called = ({ first }: RunningGateway) => first.requests.map(({ body }) => body['model']);
const headerOf = (response: Response, name: string) => response.headers.get(`x-plimsoll-${name}`);

/** Lines of the decision log, each of them checked against its schema. */
function recordsIn(file: string) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => decisionRecordSchema.parse(JSON.parse(line)));
}

describe.each([false, true])('stream %s', (stream) => {
  test.each([
    ['is accepted at the first rung', EASY, ['small'], 'cascade-accepted'],
    ['is accepted at the second', TRICKY, ['small', 'medium'], 'cascade-accepted'],
    [
      'is accepted nowhere, and the strongest replies',
      TRICKIER,
      ['small', 'medium', 'large'],
      'cascade-escalated',
    ],
    ['is not worth a cheaper call', HARD, ['large'], 'cascade-skipped'],
  ])('a request that %s', async (_, text, models, reason) => {
    const running = await climbingGateway();
    const body = { ...ask(text), stream };
    const response = await postRaw(running.url, CHAT, body);
    const last = models.at(-1)!;
    expect(await response.text()).toBe(said(body, last, stream));
    expect(headerOf(response, 'reason')).toBe(reason);
    expect(headerOf(response, 'selected')).toBe(`first/${last}`);
    expect(headerOf(response, 'served')).toBe(`first/${last}`);
    expect(headerOf(response, 'attempts')).toBe(String(models.length));
    expect(called(running)).toEqual(models);
    const asked = running.first.requests.map((request) => request.body['logprobs']);
    expect(asked).toEqual(models.map((model) => (model === 'large' ? undefined : true)));
  });

  test.each(['small', 'medium'])(
    'an outage of %s goes to the strongest, never to a rung between',
    async (down) => {
      const running = await climbingGateway();
      if (down === 'small') running.first.faults.push('500', '500');
      else running.first.faults.push(UNHARMED, '500', '500');
      const body = { ...ask(TRICKY), stream };
      const response = await postRaw(running.url, CHAT, body);
      expect(await response.text()).toBe(said(body, 'large', stream));
      expect(headerOf(response, 'reason')).toBe('cascade-escalated');
      expect(called(running)).toEqual([...(down === 'small' ? [] : ['small']), down, down, 'large']);
    },
  );

  test('a middle model that refuses the request does not fail it: the cheapest one took it', async () => {
    const running = await climbingGateway();
    running.first.faults.push(UNHARMED, '400', '400');
    const body = { ...ask(TRICKY), stream };
    const response = await postRaw(running.url, CHAT, body);
    expect(await response.text()).toBe(said(body, 'large', stream));
    expect(headerOf(response, 'reason')).toBe('cascade-escalated');
  });
});

test('max_wait_ms is for all looks together', async () => {
  const running = await climbingGateway({
    config: {
      cascade: { max_wait_ms: 3_000 },
      upstream: { ...QUICK_UPSTREAM, timeouts: { ...QUICK_UPSTREAM?.timeouts, first_byte_ms: 10_000 } },
    },
    upstream: { slowMs: 60_000 },
  });
  running.first.faults.push(UNHARMED, 'slow-first-byte');
  const body = ask(TRICKY);
  const response = await postRaw(running.url, CHAT, body);
  expect(await response.text()).toBe(said(body, 'large', false));
  expect(called(running)).toEqual(['small', 'medium', 'large']);
  expect(running.first.requests[1]!.aborted).toBe(true);
});

test('each call is counted, in headers, log and metrics', async () => {
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const running = await climbingGateway({ config: { decision_log: { file } } });
  const usd: number[] = [];
  for (const [text, models] of [
    [TRICKY, ['small', 'medium']],
    [TRICKIER, ['small', 'medium', 'large']],
  ] as const) {
    const response = await postRaw(running.url, CHAT, ask(text));
    const { prompt_tokens: input, completion_tokens: output } = ((await response.json()) as Usage).usage;
    const costs = models.map((model) => (input * PRICES[model].input + output * PRICES[model].output) / 1e6);
    const whole = costs.reduce((sum, one) => sum + one, 0);
    usd.push(whole);
    expect(Number(headerOf(response, 'cost-usd'))).toBeCloseTo(whole, 8);
    expect(Number(headerOf(response, 'check-cost-usd'))).toBeCloseTo(whole - costs.at(-1)!, 8);
    expect(Number(headerOf(response, 'check-ms'))).toBeGreaterThan(0);
  }
  const metrics = await (await fetch(`${running.url}/metrics`)).text();
  await running.close();
  const records = recordsIn(file);
  const lost = { model: 'first/small', skip: 0.5, escalated: 'loss' };
  expect(records).toMatchObject([
    {
      reason: 'cascade-accepted',
      selected: 'first/medium',
      cascade: { model: 'first/medium', earlier: [lost], spent: [{ model: 'first/small' }] },
      attempts: [
        { model: 'first/small', kind: 'first' },
        { model: 'first/medium', kind: 'escalation' },
      ],
    },
    {
      reason: 'cascade-escalated',
      selected: 'first/large',
      cascade: {
        model: 'first/medium',
        escalated: 'loss',
        earlier: [lost],
        spent: [{ model: 'first/small' }, { model: 'first/medium' }],
      },
    },
  ]);
  expect(records[0]!.cascade).not.toHaveProperty('escalated');
  expect(records.map(({ cost_usd }) => cost_usd)).toEqual(usd.map((one) => expect.closeTo(one, 12)));
  for (const [model, outcome, count] of [
    ['small', 'loss', 2],
    ['medium', 'accepted', 1],
    ['medium', 'loss', 1],
  ])
    expect(metrics).toContain(
      `plimsoll_cascade_checks_total{model="first/${model}",outcome="${outcome}"} ${count}`,
    );
  expect(metrics).toContain('plimsoll_cascade_check_seconds_count 2');
});

interface Usage {
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

test.each([
  ['first', EASY, 'small'],
  ['second', TRICKY, 'medium'],
] as const)('the official clients stream what the %s rung says', async (_, text, model) => {
  const { openai, anthropic } = await climbingGateway();
  const done = await openai.chat.completions.stream(ask(text)).finalChatCompletion();
  expect(done.choices[0]!.message.content).toMatch(new RegExp(`^${model}:( \\S+){16}$`));
  expect(await anthropic.messages.stream(ask(text)).finalText()).toMatch(
    new RegExp(`^${model}:( \\S+){16}$`),
  );
});

test('a reply of the wrong form climbs: it was judged', async () => {
  const running = await climbingGateway({ upstream: { script: { turns: [], text: 'no JSON' } } });
  const body = { ...ask(EASY), response_format: { type: 'json_object' } };
  const response = await postRaw(running.url, CHAT, body);
  expect(headerOf(response, 'reason')).toBe('cascade-escalated');
  expect(called(running)).toEqual(['small', 'medium', 'large']);
});

test('a rung whose judge lacks its signals ends the climb', async () => {
  const models = ['cheap', 'middle', 'strong'].map((candidate) => `tiny-${candidate}-1`);
  const never = judgeBy({}, 4, models);
  const needy = await threeRungCascade([never]);
  const claude = { cheap: 'first/small', middle: 'claude/small', strong: 'first/large' };
  const catalog = { 'first/small': {}, 'first/large': {}, 'claude/small': { id: 'claude-haiku-4-5' } };
  const running = await climbingGateway({
    config: { artifact: needy.folder, ladder: claude, models: catalog },
  });
  const response = await postRaw(running.url, CHAT, ask(EASY));
  expect(headerOf(response, 'reason')).toBe('cascade-escalated');
  expect(called(running)).toEqual(['small', 'large']);
  expect(running.log.filter((line) => line.includes('claude/small gives no log-probabilities'))).toHaveLength(
    1,
  );
});
