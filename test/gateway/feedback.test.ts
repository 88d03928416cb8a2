import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { createKey } from '../../router/access/index.ts';
import { feedbackTokens } from '../../router/records/feedback-tokens.ts';
import { type FeedbackEntry, readFeedback } from '../../router/records/index.ts';
import { openState } from '../../router/state/index.ts';
import { cli, expectRefusal, stdoutOf } from '../cli/run-cli.ts';
import { itLong } from '../helpers/long-run.ts';
import { ask, clientsOf, gatewayForTest, postRaw, type Wishes } from './running-gateway.ts';

/** A gateway with two API keys that takes feedback into a new SQLite file. */
async function withFeedback(changes: NonNullable<Wishes['config']> = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-feedback-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const keysFile = path.join(folder, 'keys.json');
  const [one, other] = ['one', 'other'].map((name) => createKey(keysFile, { name, now: new Date() }).key);
  const state = { kind: 'sqlite' as const, url: path.join(folder, 'state.db') };
  const config: NonNullable<Wishes['config']> = {
    state,
    feedback: { tokens: true },
    access: { keys_file: keysFile },
    ...changes,
  };
  const running = await gatewayForTest({ config });
  const give = async (body: object, key?: string) => {
    const response = await postRaw(
      running.url,
      '/v1/feedback',
      body,
      key === undefined ? {} : { authorization: `Bearer ${key}` },
    );
    return {
      status: response.status,
      body: (await response.json()) as Record<string, unknown> & {
        error?: { code: string; message: string };
      },
    };
  };
  const chat = async (content = 'Name a river.', user = 'ann') => {
    const { response } = await clientsOf(running.url, one)
      .openai.chat.completions.create({ ...ask(content), user })
      .withResponse();
    const of = (name: string) => response.headers.get(`x-plimsoll-${name}`) ?? '';
    return { id: of('decision-id'), token: of('feedback-token') };
  };
  const stored = async () => {
    const opened = await openState({ ...state, migrate: 'manual' });
    const all: FeedbackEntry[] = [];
    for await (const entry of readFeedback(opened.log)) all.push(entry);
    await opened.close();
    return all;
  };
  return { ...running, config, folder, state, one: one ?? '', other: other ?? '', give, chat, stored };
}

test('a client gives feedback on its own decisions; those of others, and unknown ones, are not there', async () => {
  const { one, other, give, chat, stored, close } = await withFeedback();
  const { id } = await chat();
  expect(await give({ decision_id: id, thumbs: 'up', comment: 'Right.' }, one)).toEqual({
    status: 200,
    body: { decision_id: id, recorded: ['score', 'comment'] },
  });
  expect(await give({ request_id: id, signal: 'copied', correct_answer: 'The Seine.' }, one)).toMatchObject({
    body: { recorded: ['correct_answer', 'copied'] },
  });
  for (const [body, key] of [
    [{ decision_id: id, score: 0 }, other],
    [{ decision_id: 'dec_unknown', score: 0 }, one],
  ] as const)
    expect(await give(body, key)).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
  expect(await give({ decision_id: id, score: 0 })).toMatchObject({
    status: 401,
    body: { error: { code: 'invalid_api_key' } },
  });
  expect(await give({ decision_id: id, score: 0 }, 'plim_wrong')).toMatchObject({ status: 401 });
  await close();
  const all = await stored();
  expect(all.map(({ kind, via, score, text }) => [kind, via, score, text])).toEqual([
    ['score', 'key', 1, undefined],
    ['comment', 'key', undefined, 'Right.'],
    ['correct_answer', 'key', undefined, 'The Seine.'],
    ['copied', 'key', undefined, undefined],
  ]);
});

test('an end user gives it by a token, without a key; what is replayed counts once and gets the same response', async () => {
  const { url, give, chat, stored, close } = await withFeedback();
  const { id, token } = await chat();
  const first = await give({ token, score: 0.25, comment: 'Hm.' });
  expect(first).toEqual({ status: 200, body: { decision_id: id, recorded: ['score', 'comment'] } });
  expect(await give({ token, score: 0.25, comment: 'Hm.' })).toEqual(first);
  expect(await give({ token, decision_id: id, score: 1 })).toMatchObject({ status: 200 });
  const next = await chat();
  const wrong = [
    `${token}x`,
    `${token}.anything`,
    `${token}.`,
    `${token}=`,
    `${token}!`,
    token.replace(/^plft_./, 'plft_X'),
    'plft_',
    `${token.split('.')[0]}.`,
    'x'.repeat(999),
  ];
  for (const one of wrong)
    expect(await give({ token: one, score: 1 })).toMatchObject({
      status: 401,
      body: { error: { code: 'invalid_feedback_token' } },
    });
  expect(await give({ token, decision_id: next.id, score: 1 })).toMatchObject({ status: 401 });
  const metrics = await (await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer x' } })).text();
  expect(metrics).not.toContain('Hm.');
  await close();
  expect((await stored()).map(({ kind, score, via }) => [kind, score, via])).toEqual([
    ['score', 0.25, 'token'],
    ['comment', undefined, 'token'],
  ]);
});

test('a token ends, and is good for its decision alone', () => {
  const { sign, verify } = feedbackTokens('secret', 60_000);
  const subject = { decisionId: 'dec_1', keyId: 'k' };
  const token = sign(subject, 1_000_000);
  expect(verify(token, 1_059_000)).toEqual(subject);
  expect(verify(token, 1_060_000)).toBeUndefined();
  for (const more of ['.anything', '.', '=', ' ', '!'])
    expect(verify(token + more, 1_000_000)).toBeUndefined();
  expect(feedbackTokens('other', 60_000).verify(token, 1_000_000)).toBeUndefined();
  const [payload] = sign({ decisionId: 'dec_2', keyId: 'k' }, 1_000_000).split('.');
  expect(verify(`${payload}.${token.split('.')[1]}`, 1_000_000)).toBeUndefined();
});

test('what is wrong is named', async () => {
  const { give, one } = await withFeedback();
  const wrong: [object, string][] = [
    [{ score: 1 }, 'decision_id'],
    [{ decision_id: 'd' }, 'score'],
    [{ decision_id: 'd', score: 2 }, 'score'],
    [{ decision_id: 'd', score: null }, 'score'],
    [{ decision_id: 'd', thumbs: 'sideways' }, 'thumbs'],
    [{ decision_id: 'd', thumbs: 'up', score: 1 }, 'thumbs'],
    [{ decision_id: 'd', request_id: 'd', score: 1 }, 'request_id'],
    [{ decision_id: 'd', comment: 'x'.repeat(5_000) }, 'comment'],
    [{ decision_id: 'd', scores: 1 }, 'scores'],
    [['d'], 'The body must be a JSON object'],
  ];
  for (const [given, field] of wrong) {
    const { status, body } = await give(given, one);
    expect([status, body.error?.code]).toEqual([400, 'invalid_input']);
    expect(body.error?.message).toContain(field);
  }
});

test('a body of more than 256 kB is refused before anyone is known; the longest feedback is smaller', async () => {
  const { url, give, one, token } = await (async () => {
    const running = await withFeedback();
    return { ...running, ...(await running.chat()) };
  })();
  const big = { decision_id: 'd', comment: 'x'.repeat(256 * 1024) };
  for (const key of [undefined, one]) {
    const { status, body } = await give(big, key);
    expect([status, body.error?.code]).toEqual([413, 'body_too_large']);
    expect(body.error?.message).toContain('262144 bytes (the limit of feedback)');
  }
  const escaped = (length: number) => '\\u00e9'.repeat(length);
  const longest = await fetch(`${url}/v1/feedback`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"token":"${token}","correct_answer":"${escaped(32_000)}","comment":"${escaped(4_000)}"}`,
  });
  expect(longest.status).toBe(200);
});

itLong('captured requests and feedback become cases; all of a user is erased', async () => {
  const { state, folder, one, give, chat, close } = await withFeedback({ capture: { share: 1 } });
  const river = await chat('Name a river in France.');
  await chat('Name a lake.', 'bob');
  await give({ decision_id: river.id, score: 0.75, correct_answer: 'The Loire.' }, one);
  const captured = async () => {
    const opened = await openState({ ...state, migrate: 'manual' });
    const records = await opened.log.read('captured', { afterSeq: 0, limit: 9 });
    await opened.close();
    return records.length;
  };
  await expect.poll(captured, { timeout: 15_000 }).toBe(2);
  await close();
  const file = path.join(folder, 'config.json');
  writeFileSync(file, JSON.stringify({ state }));
  const command = (...args: string[]) => cli(['state', ...args, '--config', file]);
  const plimsoll = async (...args: string[]) => stdoutOf(await command(...args));
  const cases = path.join(folder, 'cases.jsonl');
  writeFileSync(cases, await plimsoll('export', '--stream', 'captured', '--with-feedback'));
  expect(readFileSync(cases, 'utf8')).toContain('"label_source":"feedback"');
  const { cases: loaded } = await loadCases([cases]);
  expect(loaded).toHaveLength(1);
  expect(loaded[0]).toMatchObject({ id: river.id, text: 'Name a river in France.' });
  expect([...(loaded[0]?.outcomes.values() ?? [])]).toMatchObject([{ quality: 0.75 }]);
  expect((await plimsoll('export', '--stream', 'feedback')).trim().split('\n')).toHaveLength(2);
  const unknown = await command('export', '--stream', 'capture');
  expectRefusal(unknown, /decisions, captured, feedback, graded, audits/, 2);
  expect(JSON.parse(await plimsoll('erase', '--user', 'ann', '--json'))).toEqual({
    records: 3,
    documents: 0,
  });
  expect(await plimsoll('export', '--stream', 'captured')).toContain('Name a lake.');
});

itLong.each([
  ['the decision log', { decision_log: { to: 'state' as const } }],
  ['the captured request', { capture: { share: 1 } }],
])('after a restart, feedback is erased by the user whom %s knows', async (_, kept) => {
  const { config, one, chat, close, state } = await withFeedback(kept);
  const [first, second, bobs] = [await chat(), await chat(), await chat('Name a lake.', 'bob')];
  await close();
  const again = await gatewayForTest({ config });
  const authorization = `Bearer ${one}`;
  const sent = [
    await postRaw(
      again.url,
      '/v1/feedback',
      { decision_id: first.id, comment: 'By key.' },
      { authorization },
    ),
    await postRaw(again.url, '/v1/feedback', { token: second.token, comment: 'By token.', score: 1 }),
    await postRaw(again.url, '/v1/feedback', { token: bobs.token, comment: 'By Bob.' }),
  ];
  expect(sent.map(({ status }) => status)).toEqual([200, 200, 200]);
  await again.close();
  const opened = await openState({ ...state, migrate: 'manual' });
  expect(await opened.log.erase({ user: 'ann' })).toBe(2 + 3);
  const left: FeedbackEntry[] = [];
  for await (const entry of readFeedback(opened.log)) left.push(entry);
  expect(left.map(({ text }) => text)).toEqual(['By Bob.']);
  await opened.close();
});

test('without the part feedback none is taken, and no token handed out', async () => {
  const { url, openai } = await gatewayForTest();
  const { response } = await openai.chat.completions.create(ask('Hi')).withResponse();
  expect(response.headers.get('x-plimsoll-feedback-token')).toBeNull();
  expect((await postRaw(url, '/v1/feedback', { decision_id: 'd', score: 1 })).status).toBe(404);
});
