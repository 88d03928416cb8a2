import { expect, test } from 'vitest';
import { ask, gatewayForTest, postRaw, type RunningGateway } from './running-gateway.ts';

async function ruled(
  { url }: RunningGateway,
  messages: readonly object[],
  headers: Record<string, string> = {},
) {
  const response = await postRaw(url, '/v1/chat/completions', { model: 'auto', messages }, headers);
  await response.text();
  return { status: response.status, rule: response.headers.get('x-plimsoll-rule') };
}

const user = (content: string) => ({ role: 'user', content });
const assistant = { role: 'assistant', content: 'Done.' };

test('a rule on the age of a session sees the turns before a request', async () => {
  const gateway = await gatewayForTest({
    config: {
      rules: [
        { name: 'long-talk', when: { session_age: { turns: { at_least: 2 } } }, at_least: 'strongest' },
      ],
    },
  });
  const history = [user(gateway.artifact.easy[0]!)];
  const session = { 'x-session-id': 'one' };
  const rules = [];
  for (let turn = 0; turn < 4; turn++) {
    rules.push((await ruled(gateway, history, session)).rule);
    history.push(assistant, user(gateway.artifact.easy[0]!));
  }
  expect(rules).toEqual([null, null, 'long-talk', 'long-talk']);
  expect((await ruled(gateway, [user('Hello')], { 'x-session-id': 'two' })).rule).toBeNull();
});

test('results of tools are no turns of their own', async () => {
  const gateway = await gatewayForTest({
    config: {
      rules: [{ name: 'later', when: { session_age: { turns: { at_least: 2 } } }, use: 'strongest' }],
    },
  });
  const call = {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
  };
  const result = { role: 'tool', tool_call_id: 'c', content: 'ok' };
  const session = { 'x-session-id': 'tools' };
  const asked = [user('Look it up.'), call, result];
  const rules = [];
  for (const length of [1, 3]) rules.push((await ruled(gateway, asked.slice(0, length), session)).rule);
  rules.push((await ruled(gateway, [...asked, call, result], session)).rule);
  expect(rules).toEqual([null, null, null]);
});

test('a rule on a budget fires once the ledger has said that so much of it is used up', async () => {
  const gateway = await gatewayForTest({
    config: {
      limits: [{ name: 'day', windows: [{ '24h': '10 requests' }] }],
      rules: [
        { name: 'thrift', when: { budget_used: { limit: 'day', at_least: 0.5 } }, at_most: 'cheapest' },
      ],
    },
  });
  const rules = [];
  for (let i = 0; i < 8; i++) rules.push((await ruled(gateway, [user(gateway.artifact.hard[0]!)])).rule);
  // The ledger tells what was settled before a request when that request is reserved for.
  expect(rules).toEqual([null, null, null, null, null, null, 'thrift', 'thrift']);
});

test('a budget of one tag says nothing of the requests of another', async () => {
  const gateway = await gatewayForTest({
    config: {
      limits: [{ name: 'team', for: { tag: '*' }, windows: [{ '24h': '4 requests' }] }],
      rules: [{ name: 'thrift', when: { budget_used: { limit: 'team', at_least: 0.5 } }, use: 'cheap' }],
    },
  });
  const tagged = (tag: string) => ruled(gateway, [user('Hello')], { 'x-plimsoll-tags': tag });
  for (let i = 0; i < 3; i++) await tagged('a');
  expect((await tagged('a')).rule).toBe('thrift');
  expect((await tagged('b')).rule).toBeNull();
  expect(await ruled(gateway, ask('Hello', 'auto').messages as object[])).toMatchObject({ rule: null });
});

test('a rule on the language of a request', async () => {
  const gateway = await gatewayForTest({
    config: { rules: [{ name: 'german', when: { language: 'de' }, use: 'strongest' }] },
  });
  const german = 'Bitte schreibe eine freundliche Antwort auf die Beschwerde dieser Kundin.';
  expect((await ruled(gateway, [user(german)])).rule).toBe('german');
  expect((await ruled(gateway, [user('Please write a friendly reply to this complaint.')])).rule).toBeNull();
});
