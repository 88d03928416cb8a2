import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  type DeskOptions,
  type EndedTask,
  type NewTask,
  openPeople,
  type People,
} from '../../router/people/index.ts';
import { openState } from '../../router/state/index.ts';

const MINUTE = 60_000;
const DESK: DeskOptions = {
  costPerMinuteUsd: 0.6,
  minutes: 4,
  deadlineMs: 60 * MINUTE,
  claimMs: 15 * MINUTE,
  keepMs: 60 * MINUTE,
  maxWaiting: 10,
  reply: 'poll',
  whenLate: 'error',
};
const ASKED: NewTask = {
  people: 'support',
  mode: 'poll',
  decisionId: 'dec_1',
  keyId: 'client',
  team: undefined,
  tags: [],
  profile: undefined,
  dialect: 'openai',
  body: { messages: [{ role: 'user', content: 'May we?' }] },
};
const [ANNA, BORIS] = ['Anna', 'Boris'].map((name) => ({ name, team: undefined })) as [
  { name: string; team: undefined },
  { name: string; team: undefined },
];

/** People whose clock is moved by the test. */
async function people(desk: Partial<DeskOptions> = {}, sweepMs?: number) {
  const state = await openState({ kind: 'memory', migrate: 'auto' });
  const clock = { ms: Date.now() };
  const paid: EndedTask[] = [];
  const desks = openPeople({
    documents: state.documents,
    onEnded: async (one) => void paid.push(one),
    onUndelivered: () => {},
    now: () => clock.ms,
    ...(sweepMs && { sweepMs }),
  });
  desks.configure({ support: { ...DESK, ...desk } });
  onTestFinished(async () => {
    await desks.close();
    await state.close();
  });
  const pass = (minutes: number) => {
    clock.ms += minutes * MINUTE;
  };
  const open = () => state.documents.list('', 'people-open/support', 100);
  return { desks, paid, pass, open };
}

test('minutes at work are those of all claims: given back, run out, and the last one up to the reply', async () => {
  const { desks, paid, pass } = await people();
  const { id } = await desks.open(ASKED);
  await desks.claim(id, ANNA);
  pass(2);
  await desks.release(id, ANNA);
  pass(5);
  await desks.claim(id, ANNA);
  pass(20); // the claim ran out after fifteen
  await desks.claim(id, BORIS);
  pass(3);
  const { reply } = await desks.answer(id, 'Yes.', BORIS, 'api');
  expect(reply!.minutes).toBeCloseTo(2 + 15 + 3, 9);
  expect(paid).toMatchObject([{ outcome: 'answered' }]);
  expect(paid[0]!.costUsd).toBeCloseTo(20 * 0.6, 9);
});

test('a claim is extended by who has it, and ends with the deadline', async () => {
  const { desks, pass } = await people();
  const { id, deadlineMs } = await desks.open(ASKED);
  for (let i = 0; i < 5; i++) {
    await desks.claim(id, ANNA);
    await expect(desks.claim(id, BORIS)).rejects.toMatchObject({ code: 'conflict' });
    pass(11);
  }
  expect((await desks.claim(id, ANNA)).claim!.untilMs).toBe(deadlineMs);
});

test('after the deadline nothing is taken, and work that came to nothing is paid for once', async () => {
  const { desks, paid, pass } = await people();
  const { id } = await desks.open(ASKED);
  pass(50);
  await desks.claim(id, ANNA);
  pass(11);
  for (let i = 0; i < 2; i++)
    await expect(desks.answer(id, 'Yes.', ANNA, 'api')).rejects.toMatchObject({ code: 'too-late' });
  expect(paid).toMatchObject([{ outcome: 'late', minutes: 10 }]);
  expect(await desks.waiting(ANNA)).toEqual([]);
  expect(await desks.ofClient(id, 'client')).toMatchObject({ status: 'late' });
  await expect(desks.ofClient(id, 'other')).rejects.toMatchObject({ code: 'not-found' });
});

test('of many who answer at once one wins, and is paid', async () => {
  const { desks, paid } = await people();
  const { id } = await desks.open(ASKED);
  const all = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) =>
      desks.answer(id, `Reply ${i}`, { name: `${i}`, team: undefined }, 'api'),
    ),
  );
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(paid).toHaveLength(1);
  expect(paid[0]!.minutes).toBe(4); // nobody claimed
});

test('a request that is too long for a person is refused, and what does not exist is not found', async () => {
  const { desks } = await people();
  const body = { messages: [{ role: 'user', content: 'x'.repeat(1_000_001) }] };
  await expect(desks.open({ ...ASKED, body })).rejects.toMatchObject({ code: 'too-large' });
  for (const id of ['', 'task_1', `task_${'0'.repeat(36)}`, '../keys'])
    await expect(desks.task(id, ANNA)).rejects.toMatchObject({ code: 'not-found' });
  await expect(desks.waiting(ANNA, 'nobody')).rejects.toMatchObject({ code: 'not-found' });
});

test.each([
  ['the client’s poll', (desks: People, id: string) => desks.ofClient(id, 'client')],
  ['a look at the task', (desks: People, id: string) => desks.task(id, ANNA)],
  ['a look at the list', (desks: People) => desks.waiting(ANNA)],
])('work on a task whose deadline passed is paid for by %s', async (_, look) => {
  const { desks, paid, pass, open } = await people();
  const { id } = await desks.open(ASKED);
  await desks.claim(id, ANNA);
  pass(61);
  await look(desks, id);
  await look(desks, id);
  expect(paid).toMatchObject([{ outcome: 'late', minutes: 15 }]);
  expect(await open()).toEqual([]);
});

test('work on a task whose deadline passed is paid for, once, if nobody asks', async () => {
  const { desks, paid, pass, open } = await people({}, 20);
  const { id } = await desks.open(ASKED);
  await desks.claim(id, ANNA);
  pass(61);
  await vi.waitFor(async () => expect(await open()).toEqual([]));
  expect(paid).toMatchObject([{ outcome: 'late', minutes: 15 }]);
});

test('closing ends what waits, and the work on it is paid for before', async () => {
  const { desks, paid, pass, open } = await people();
  const task = await desks.open({ ...ASKED, mode: 'wait' });
  const waiting = desks.wait(task, new AbortController().signal);
  await desks.claim(task.id, ANNA);
  pass(3);
  await desks.close();
  expect(paid).toMatchObject([{ outcome: 'withdrawn', minutes: 3 }]);
  expect(await open()).toEqual([]);
  expect(await waiting).toMatchObject({ status: 'withdrawn' });
});

test('of many requests at once as many may wait as max_waiting says, and tasks that are over do not count', async () => {
  const { desks, pass } = await people({ maxWaiting: 5 });
  const added = async () =>
    (await Promise.allSettled(Array.from({ length: 14 }, () => desks.open(ASKED)))).map((one) =>
      one.status === 'fulfilled' ? 'added' : one.reason.code,
    );
  const five = [...Array(5).fill('added'), ...Array(9).fill('queue-full')];
  expect(await added()).toEqual(five);
  pass(61);
  expect(await added()).toEqual(five);
});

test('a request whose server is gone can be neither claimed nor answered; one whose server is there can', async () => {
  const { desks, paid, pass, open } = await people();
  const [gone, there] = [
    await desks.open({ ...ASKED, mode: 'wait' }),
    await desks.open({ ...ASKED, mode: 'wait' }),
  ];
  await desks.claim(gone.id, ANNA);
  pass(0.9);
  const waiting = desks.wait(there, new AbortController().signal);
  const version = async () => (await open()).find(({ id }) => id === there.id)!.version;
  const before = await version();
  await vi.waitFor(async () => expect(await version()).not.toBe(before), { timeout: 3_000 });
  pass(0.9);
  expect(await desks.waiting(BORIS)).toMatchObject([{ id: there.id }]);
  await expect(desks.answer(gone.id, 'Yes.', ANNA, 'api')).rejects.toMatchObject({ code: 'too-late' });
  expect(paid).toMatchObject([{ outcome: 'withdrawn' }]);
  expect(paid[0]!.minutes).toBeCloseTo(1.8, 9);
  await desks.answer(there.id, 'Yes.', BORIS, 'api');
  expect(await waiting).toMatchObject({ status: 'answered' });
});

test('a task that is encrypted with a key that is not known is listed without its text', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-people-'));
  const at = async (keys: string) => {
    process.env['PLIMSOLL_TEST_PEOPLE_KEYS'] = keys;
    const state = await openState({
      kind: 'sqlite',
      url: path.join(folder, 'state.db'),
      encryptionKeysEnv: 'PLIMSOLL_TEST_PEOPLE_KEYS',
      migrate: 'auto',
    });
    const parts = { documents: state.documents, onEnded: async () => {}, onUndelivered: () => {} };
    const desks = openPeople(parts);
    desks.configure({ support: DESK });
    const close = async () => {
      await desks.close();
      await state.close();
    };
    return { desks, close };
  };
  const key = (id: string) => `${id}:${Buffer.alloc(32, id).toString('base64')}`;
  const before = await at(key('a'));
  const { id } = await before.desks.open({ ...ASKED, team: 'red' });
  await before.close();
  const { desks, close } = await at(key('b'));
  onTestFinished(close);
  const { id: readable } = await desks.open(ASKED);
  const listed = await desks.waiting(ANNA);
  expect(listed.map((task) => [task.id, task.isUnreadable, Object.keys(task.body)])).toEqual([
    [id, true, []],
    [readable, undefined, ['messages']],
  ]);
  expect(await desks.waiting({ name: 'Carla', team: 'blue' })).toEqual([]);
  await expect(desks.task(id, ANNA)).rejects.toMatchObject({ code: 'invalid-state' });
});
