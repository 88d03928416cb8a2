import { expect, test } from 'vitest';
import { memorySessions } from '../../router/sessions/memory-sessions.ts';
import { openSessions } from '../../router/sessions/sessions.ts';
import { type SharedSessions, sessionsInDocuments } from '../../router/sessions/shared-sessions.ts';
import { openState } from '../../router/state/index.ts';

const OPTIONS = { ttlMs: 60_000, maxInMemory: 100, pinToolTurns: true };
const LADDER = ['cheap/model', 'strong/model'];
const ASK = { role: 'user', content: 'Read the file and tell me what is in it.' };
const CALL = { role: 'assistant', tool_calls: [{ id: 'c', type: 'function' }] };
const RESULT = { role: 'tool', tool_call_id: 'c', content: 'It is empty.' };

function request(messages: readonly object[], name = 'a', keyId?: string) {
  return { dialect: 'openai' as const, body: { messages }, headers: { 'x-session-id': name }, keyId };
}

async function opened(parts: { shared?: SharedSessions; pinToolTurns?: boolean } = {}) {
  const { shared, pinToolTurns = true } = parts;
  const sessions = await openSessions({ options: { ...OPTIONS, pinToolTurns }, shared });
  return async (asked: ReturnType<typeof request>, mayCallTools = true) => {
    const identity = sessions.identify(asked, true)!;
    return sessions.open(identity, asked, mayCallTools);
  };
}

const on = (rung: number) => ({ options: {}, rung, model: LADDER[rung]! });

test('initialize, retain, switch', async () => {
  const open = await opened();
  const first = await open(request([ASK]));
  expect(first.transition('m')).toBe('initialize');
  first.went('m');
  const second = await open(request([ASK]));
  expect([second.transition('m'), second.transition('n')]).toEqual(['retain', 'switch']);
  expect(first.transition('m')).toBe('initialize'); // as it was when the request came
  expect((await open(request([ASK], 'b'))).transition('m')).toBe('initialize');
  expect((await open(request([ASK], 'a', 'another-key'))).transition('m')).toBe('initialize');
});

test('results of tools stay on the rung of their turn, and nothing else does', async () => {
  const open = await opened();
  (await open(request([ASK]))).went('cheap/model', on(0));
  const next = request([ASK, CALL, RESULT]);
  expect((await open(next)).pinnedRung({}, LADDER)).toBe(0);
  expect((await open(request([ASK, CALL, RESULT, ASK]))).pinnedRung({}, LADDER)).toBeUndefined();
  expect((await open(next)).pinnedRung({ policy: 'other' }, LADDER)).toBeUndefined();
  expect((await open(next)).pinnedRung({}, ['new/model', 'strong/model'])).toBeUndefined();
  expect((await open(request([ASK, CALL, RESULT], 'b'))).pinnedRung({}, LADDER)).toBeUndefined();
  const off = await opened({ pinToolTurns: false });
  (await off(request([ASK]))).went('cheap/model', on(0));
  expect((await off(next)).pinnedRung({}, LADDER)).toBeUndefined();
});

test('turns of one session that are under way together keep their own rungs', async () => {
  const open = await opened();
  const other = { role: 'user', content: 'Meanwhile, prove this theorem.' };
  (await open(request([ASK]))).went('cheap/model', on(0));
  (await open(request([other]))).went('strong/model', on(1));
  expect((await open(request([ASK, CALL, RESULT]))).pinnedRung({}, LADDER)).toBe(0);
  expect((await open(request([other, CALL, RESULT]))).pinnedRung({}, LADDER)).toBe(1);
});

test('results alone go on with the newest turn, as in a conversation that the server holds', async () => {
  const open = await opened();
  const turn = (input: unknown) => ({
    dialect: 'responses' as const,
    body: { input, conversation: 'conv_1' },
    headers: {},
    keyId: undefined,
  });
  (await open(turn('Prove this theorem.') as never)).went('cheap/model', on(0));
  (await open(turn('Now another one.') as never)).went('strong/model', on(1));
  const result = [{ type: 'function_call_output', call_id: 'c', output: '4' }];
  expect((await open(turn(result) as never)).pinnedRung({}, LADDER)).toBe(1);
});

test('a second process finds sessions, turns and hashes of the first in the state', async () => {
  const state = await openState({ kind: 'memory', migrate: 'auto' });
  const shared = sessionsInDocuments(state.documents, 60_000);
  const [one, two] = [await opened({ shared }), await opened({ shared })];
  (await one(request([ASK]))).went('cheap/model', on(0));
  await new Promise(setImmediate);
  const seen = await two(request([ASK, CALL, RESULT]));
  expect([seen.transition('cheap/model'), seen.pinnedRung({}, LADDER)]).toEqual(['retain', 0]);
  const stored = JSON.stringify(await state.documents.list('', 'session', 10));
  expect(stored).not.toContain('Read the file');
  expect(await state.documents.erase({ session: 'a' })).toBe(1);
  expect(await state.documents.list('', 'session', 10)).toEqual([]);
});

test('an inferred session is not erased by any name', async () => {
  const state = await openState({ kind: 'memory', migrate: 'auto' });
  const open = await opened({ shared: sessionsInDocuments(state.documents, 60_000) });
  const active = await open({ ...request([ASK]), headers: {} as never });
  active.went('m', on(0));
  await new Promise(setImmediate);
  expect(await state.documents.list('', 'session', 10)).toHaveLength(1);
  expect(await state.documents.erase({ session: active.identity.id })).toBe(0);
});

test('while what is shared fails, a process goes by its own, and says so once', async () => {
  let isAway = false;
  const state = await openState({ kind: 'memory', migrate: 'auto' });
  const { secret, ...inState } = sessionsInDocuments(state.documents, 60_000);
  const failing = <T>(work: () => Promise<T>) => (isAway ? Promise.reject(new Error('away')) : work());
  const shared: SharedSessions = {
    secret,
    get: (session) => failing(() => inState.get(session)),
    put: (session, value) => failing(() => inState.put(session, value)),
  };
  const told: boolean[] = [];
  const sessions = await openSessions({
    options: OPTIONS,
    shared,
    onShared: (isThere) => told.push(isThere),
  });
  const open = async (asked: ReturnType<typeof request>) =>
    sessions.open(sessions.identify(asked, true)!, asked, true);
  isAway = true;
  for (let i = 0; i < 3; i++) (await open(request([ASK]))).went('cheap/model', on(0));
  const next = await open(request([ASK, CALL, RESULT]));
  expect([next.transition('cheap/model'), next.pinnedRung({}, LADDER)]).toEqual(['retain', 0]);
  expect(told).toEqual([false]);
});

test('a start waits for a cache that is slow to connect: pins are shared from the first request on', async () => {
  const state = await openState({ kind: 'memory', migrate: 'auto' });
  const inState = sessionsInDocuments(state.documents, 60_000);
  let refused = 0;
  const slow = (): SharedSessions => ({
    ...inState,
    secret: () => (refused++ < 40 ? Promise.reject(new Error('still connecting')) : inState.secret()),
  });
  const [one, other] = [
    await openSessions({ options: OPTIONS, shared: slow() }),
    await openSessions({ options: OPTIONS, shared: slow() }),
  ];
  const begin = request([ASK]);
  (await one.open(one.identify(begin, true)!, begin, true)).went('cheap/model', on(0));
  const next = request([ASK, CALL, RESULT]);
  const active = await other.open(other.identify(next, true)!, next, true);
  expect(active.pinnedRung({}, LADDER)).toBe(0);
  expect(refused).toBeGreaterThan(40);
});

test('what is stored by another version counts as nothing', async () => {
  const shared: SharedSessions = {
    secret: async () => 'secret',
    get: async () => ({ last: 'm', turns: [{ rung: 'cheap' }] }),
    put: async () => {},
  };
  const open = await opened({ shared });
  expect((await open(request([ASK]))).transition('m')).toBe('initialize');
});

test('memory is bounded in number and time', () => {
  let now = 0;
  const held = memorySessions(2, 100, () => now);
  const state = (last: string) => ({ last, turns: [] });
  held.set('a', state('m'));
  held.set('b', state('m'));
  held.set('a', held.get('a')!); // written last
  held.set('c', state('m'));
  expect([held.size, held.get('b'), held.get('a')]).toEqual([2, undefined, state('m')]);
  now = 100;
  expect([held.get('a'), held.size]).toEqual([undefined, 1]);
});
