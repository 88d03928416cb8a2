import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cascadeArtifact } from '../helpers/cascade-artifact.ts';
import { HAS_REDIS, redisUrl } from '../helpers/databases.ts';
import { gatewayForTest, postRaw, type RunningGateway, type Wishes } from './running-gateway.ts';

const CHAT = '/v1/chat/completions';
const TOOLS = [{ type: 'function', function: { name: 'read', parameters: { type: 'object' } } }];
const CALL = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'c', type: 'function', function: { name: 'read', arguments: '{}' } }],
};
const PIXEL = 'data:image/png;base64,iVBORw0KGgo=';

function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-sessions-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The head of a reply, as far as it is about the session. */
async function send(
  { url }: Pick<RunningGateway, 'url'>,
  body: object,
  headers: Record<string, string> = {},
) {
  const response = await postRaw(url, CHAT, { model: 'auto', max_tokens: 100, ...body }, headers);
  await response.text();
  const of = (name: string) => response.headers.get(`x-plimsoll-${name}`);
  return {
    status: response.status,
    session: of('session'),
    source: of('session-source'),
    selected: of('selected'),
    reason: of('reason'),
    verdict: of('verdict'),
    ungated: of('ungated-reason'),
  };
}

const user = (content: unknown) => ({ role: 'user', content });

/** A turn that an image sends to the rung which can see: in its tool turn nothing but the pin keeps it there. */
async function seeing(wishes: Wishes = {}) {
  const models = {
    'claude/small': {},
    'claude/large': {},
    'first/small': { capabilities: ['tools'] as const },
    'first/large': { capabilities: ['tools', 'images'] as const },
  };
  const running = await gatewayForTest({ ...wishes, config: { models, ...wishes.config } as never });
  const [easy] = running.artifact.easy;
  const picture = [
    { type: 'text', text: easy },
    { type: 'image_url', image_url: { url: PIXEL } },
  ];
  const first = { messages: [user(picture)], tools: TOOLS };
  const next = {
    messages: [user(easy), CALL, { role: 'tool', tool_call_id: 'c', content: 'x' }],
    tools: TOOLS,
  };
  return { running, first, next };
}

test('each reply names the source of its session, and what became of it', async () => {
  const running = await gatewayForTest();
  const [easy, hard] = [running.artifact.easy[0]!, running.artifact.hard[0]!];
  const headers = { 'x-claude-code-session-id': 'one' };
  const at = (content: string) => send(running, { messages: [user(content)] }, headers);
  expect(await at(easy)).toMatchObject({ session: 'initialize', source: 'x-claude-code-session-id' });
  expect(await at(easy)).toMatchObject({ session: 'retain', selected: 'first/small' });
  expect(await at(hard)).toMatchObject({ session: 'switch', selected: 'first/large' });
  const inferred = await send(running, { messages: [user(easy)] });
  expect(inferred).toMatchObject({ session: 'initialize', source: 'inferred' });
  const tooLong = await send(running, { messages: [user(easy)] }, { 'x-session-id': 'x'.repeat(257) });
  expect(tooLong).toMatchObject({ status: 200, session: null, source: null });
  const named = await send(running, { model: 'first/large', messages: [user(easy)] }, headers);
  expect(named).toMatchObject({ session: 'retain', reason: 'explicit-model' });
  const decided = await postRaw(
    running.url,
    '/v1/decision',
    { input_format: 'openai_chat', request: { model: 'auto', messages: [user(easy)] } },
    headers,
  );
  expect(decided.headers.get('x-plimsoll-session')).toBe('switch');
});

test('a tool turn stays on a stronger rung, and keeps its verdict', async () => {
  const { running, first, next } = await seeing();
  const headers = { 'x-session-id': 'one' };
  expect(await send(running, first, headers)).toMatchObject({
    selected: 'first/large',
    reason: 'requirements',
  });
  expect(await send(running, next, headers)).toMatchObject({
    selected: 'first/large',
    reason: 'same-turn',
    verdict: 'stale', // as all decisions over these models: what a pin does to a PASS is in test/policy
    session: 'retain',
  });
  expect(await send(running, next, { 'x-session-id': 'two' })).toMatchObject({ selected: 'first/small' });
  const turnedOff = await seeing({ config: { sessions: { pin_tool_turns: false } } });
  await send(turnedOff.running, turnedOff.first, headers);
  expect(await send(turnedOff.running, turnedOff.next, headers)).toMatchObject({ selected: 'first/small' });
});

test('an inferred session keeps its tool turn too', async () => {
  const { running, first, next } = await seeing();
  const messages = [{ role: 'system', content: 'You read files.' }];
  await send(running, { ...first, messages: [...messages, ...first.messages] });
  // A client that sends the picture again, so that the first words are the same.
  const again = { ...next, messages: [...messages, ...next.messages] };
  expect(await send(running, again)).toMatchObject({ source: 'inferred', reason: 'same-turn' });
});

test('a cascade that escalated goes straight to the strongest candidate for the results of its tools', async () => {
  const sure = await cascadeArtifact();
  const running = await gatewayForTest({
    config: { artifact: sure.folder },
    upstream: { logprob: ({ text }) => (text.includes('unsure') ? -3 : -0.01) },
  });
  const ask = user(`${sure.easy[0]} unsure`);
  const headers = { 'x-session-id': 'one' };
  const first = await send(running, { messages: [ask], tools: TOOLS }, headers);
  expect(first).toMatchObject({ selected: 'first/large' });
  const before = running.first.requests.length;
  const result = { role: 'tool', tool_call_id: 'c', content: 'x' };
  const next = await send(running, { messages: [ask, CALL, result], tools: TOOLS }, headers);
  expect(next).toMatchObject({ selected: 'first/large', verdict: 'stale', session: 'retain' });
  expect(running.first.requests.slice(before).map(({ body }) => body['model'])).toEqual(['large']);
});

test('the decision log has a keyed hash of the id, and the id only if it is asked for', async () => {
  const folder = scratch();
  for (const include_session_ids of [false, true]) {
    const file = path.join(folder, `${include_session_ids}.jsonl`);
    const running = await gatewayForTest({ config: { decision_log: { file, include_session_ids } } });
    const headers = { 'session-id': 'conversation-of-ann' };
    await send(running, { messages: [user('Hello')] }, headers);
    await send(running, { messages: 'wrong' }, headers);
    await running.close();
    const text = readFileSync(file, 'utf8');
    const [good, bad] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).session);
    expect(good).toMatchObject({ source: 'session-id', transition: 'initialize' });
    expect(bad).toEqual({ ...good, transition: undefined });
    expect(text.includes('conversation-of-ann')).toBe(include_session_ids);
    expect(running.log.join().includes('conversation-of-ann')).toBe(false);
  }
});

test.runIf(HAS_REDIS)('two instances keep one turn together, through Redis', async () => {
  await keepOneTurn({ redis: { url: await redisUrl() } });
});

test('two instances keep one turn together, through the state', async () => {
  await keepOneTurn({ state: { kind: 'sqlite', url: path.join(scratch(), 'state.db') } });
});

async function keepOneTurn(shared: NonNullable<Wishes['config']>): Promise<void> {
  const one = await seeing({ config: shared });
  const two = await seeing({ config: shared });
  let tries = 0;
  const turn = async () => {
    const headers = { 'x-session-id': `${process.pid} ${tries++}` };
    await send(one.running, one.first, headers);
    return send(two.running, two.next, headers);
  };
  await expect.poll(turn, { timeout: 10_000 }).toMatchObject({ reason: 'same-turn', session: 'retain' });
}
