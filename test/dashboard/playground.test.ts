import { expect, test } from 'vitest';
import { CAPTURED, GRADED, type GradedRequest, readGraded } from '../../router/records/index.ts';
import { DECISIONS, type Log } from '../../router/state/index.ts';
import { PRICED_MODELS } from '../gateway/running-gateway.ts';
import {
  type DashboardServer,
  dashboardServer,
  formToken,
  sendForm,
  signedIn,
  visit,
} from './dashboard-client.ts';

const PROMPT = 'Prove that "√2" is <b>irrational</b>; write to ann@example.com.';

const STORED = {
  state: { kind: 'memory' },
  decision_log: { to: 'state', include_prompt: true },
  capture: { share: 1 },
  models: PRICED_MODELS,
} as const;

async function allGraded(log: Log): Promise<GradedRequest[]> {
  const all: GradedRequest[] = [];
  for await (const one of readGraded(log)) all.push(one);
  return all;
}

/** Somebody with a browser. */
async function person(server: DashboardServer, role: 'view' | 'operate' | 'admin' = 'operate') {
  const headers = await signedIn(server.url, server.keys[role].key);
  const form = await formToken(server.url, headers);
  const send = (place: string, fields: Record<string, string>) =>
    sendForm(server.url, `/dashboard/${place}`, { form, ...fields }, headers);
  const read = async (place: string) => {
    const response = await visit(`${server.url}${place}`, { headers });
    return { status: response.status, text: await response.text() };
  };
  const decide = async (fields: Record<string, string> = {}) => {
    const response = await send('decide-prompt', { prompt: PROMPT, ...fields });
    return response.headers.get('location') ?? '';
  };
  const begin = async (at: string, candidates: readonly string[]) => {
    const fields = new URLSearchParams({ form, run: at.split('/').at(-1)!, max_tokens: '256' });
    for (const one of candidates) fields.append('candidate', one);
    const asked = await visit(`${server.url}/dashboard/ask-candidates`, {
      method: 'POST',
      headers: { origin: server.url, 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: fields.toString(),
    });
    expect([asked.status, asked.headers.get('location')]).toEqual([303, at]);
  };
  const ask = async (at: string, candidates = ['cheap', 'strong']) => {
    await begin(at, candidates);
    await expect.poll(async () => (await read(at)).text, { timeout: 20_000 }).not.toContain('data-run=');
    return (await read(at)).text;
  };
  return { send, read, decide, begin, ask };
}

test('a decision is explained without a call; then each candidate replies with its cost, and a grade becomes a case', async () => {
  const server = await dashboardServer(STORED);
  const { send, read, decide, ask } = await person(server);
  const at = await decide({ system: 'Be <brief>.' });
  expect(at).toMatch(/^\/dashboard\/playground\/play_/);
  const decided = (await read(at)).text;
  expect(decided).toContain('Prove that &quot;√2&quot; is &lt;b&gt;irrational&lt;/b&gt;');
  expect(decided).toContain('Be &lt;brief&gt;.');
  expect(decided).toContain('What makes the score of cheap');
  expect(decided).toContain('counted as all requests of your API key');
  expect(server.first.requests).toHaveLength(0);

  const replied = await ask(at);
  expect(server.first.requests).toHaveLength(2);
  expect(replied.match(/\$0\.\d+, \d+ tokens in, \d+ out, first token after/g)).toHaveLength(2);
  const { log } = server.gateway.state!;
  await expect.poll(async () => (await log.read(DECISIONS, { afterSeq: 0, limit: 9 })).length).toBe(2);
  for (const { body, text, keyId } of await log.read(DECISIONS, { afterSeq: 0, limit: 9 })) {
    expect(text).toBeUndefined();
    expect(keyId).toBe(server.keys.operate.stored.id);
    expect(JSON.parse(body)).toMatchObject({ tags: ['playground'], reason: 'explicit-model' });
  }
  for (const stream of [CAPTURED, GRADED])
    expect(await log.read(stream, { afterSeq: 0, limit: 9 })).toEqual([]);

  const run = at.split('/').at(-1)!;
  expect((await send('grade-replies', { run })).status).toBe(303);
  expect((await read(at)).text).toContain('grade at least one whole reply');
  const graded = await send('grade-replies', { run, 'grade-0': 'bad', 'grade-1': 'good' });
  expect([graded.status, graded.headers.get('location')]).toEqual([303, at]);
  expect((await read(at)).text).toContain('The grades of 2 replies are kept');
  const kept = await allGraded(log);
  expect(kept).toMatchObject([
    {
      id: run,
      keyId: server.keys.operate.stored.id,
      grader: `key ${server.keys.operate.stored.id}`,
      request: {
        system: 'Be <brief>.',
        messages: [{ role: 'user', content: expect.stringContaining('[email 1]') }],
      },
      replies: [
        { model: 'first/small', quality: 0, text: expect.stringMatching(/./), costUsd: expect.any(Number) },
        {
          model: 'first/large',
          quality: 1,
          text: expect.stringMatching(/./),
          outputTokens: expect.any(Number),
        },
      ],
    },
  ]);
  const again = (await read(at)).text;
  expect(again).toContain('the last ones count');
  expect(again).toMatch(/name="grade-0" value="bad" checked/);
  expect(again).toMatch(/name="grade-1" value="good" checked/);
  await send('grade-replies', { run, 'grade-0': 'good', 'grade-1': 'excellent' });
  expect((await read(at)).text).toContain('kept, in place of what you said before');
  expect((await allGraded(log)).map(({ replies }) => replies)).toMatchObject([
    [{ model: 'first/small', quality: 1 }],
  ]);
  await send('grade-replies', { run });
  expect((await read(at)).text).toContain('Your grades are withdrawn');
  expect(await allGraded(log)).toEqual([]);
  await send('grade-replies', { run });
  expect((await read(at)).text).toContain('grade at least one whole reply');
  await send('grade-replies', { run, 'grade-1': 'bad' });
  expect(await allGraded(log)).toMatchObject([{ id: run, replies: [{ model: 'first/large', quality: 0 }] }]);
  // Labels stay as they were written: what was changed is in the log, with all texts redacted.
  const stored = await log.read(GRADED, { afterSeq: 0, limit: 9 });
  expect(stored.map(({ body }) => JSON.parse(body).replies.length)).toEqual([2, 1, 0, 1]);
  expect(stored[2]!.text).not.toContain('irrational');
  for (const { text } of stored) expect(text).not.toContain('ann@example.com');
  for (const line of server.log) expect(line).not.toMatch(/irrational|brief/);
});

test('a form that grades a reply which is still coming is refused whole; the other reply can be graded', async () => {
  const server = await dashboardServer(
    { ...STORED, upstream: { timeouts: { idle_ms: 60_000 } } },
    { upstream: { faultOf: (number) => (number === 2 ? 'stall' : undefined) } },
  );
  const { send, read, decide, begin } = await person(server);
  const at = await decide();
  await begin(at, ['cheap', 'strong']);
  const whole = /data-figures="(\d)">[^<]* tokens in/;
  await expect.poll(async () => (await read(at)).text, { timeout: 20_000 }).toMatch(whole);
  const done = whole.exec((await read(at)).text)![1]!;
  const run = at.split('/').at(-1)!;
  await send('grade-replies', { run, 'grade-0': 'good', 'grade-1': 'bad' });
  const refused = (await read(at)).text;
  const name = done === '0' ? 'first/large' : 'first/small';
  expect(refused).toContain(`Nothing was kept: the reply of ${name} is not whole, and cannot be graded.`);
  expect(refused).not.toContain('You graded these replies');
  const { log } = server.gateway.state!;
  expect(await allGraded(log)).toEqual([]);
  await send('grade-replies', { run, [`grade-${done}`]: 'good' });
  expect((await read(at)).text).toContain('The grade is kept');
  expect(await allGraded(log)).toMatchObject([{ id: run, replies: [{ quality: 1 }] }]);
});

test('what one session tries no other sees; who may only look tries nothing', async () => {
  const server = await dashboardServer(STORED);
  const own = await person(server);
  const at = await own.decide();
  const run = at.split('/').at(-1)!;
  expect((await own.read(at)).status).toBe(200);
  const other = await person(server, 'admin');
  expect((await other.read(at)).status).toBe(404);
  await other.send('ask-candidates', { run, candidate: 'cheap', max_tokens: '256' });
  expect((await other.read('/dashboard/playground')).text).toContain('not held any more');
  expect((await other.read(`/dashboard/playground-events?run=${run}`)).status).toBe(404);
  const viewer = await person(server, 'view');
  expect((await viewer.send('decide-prompt', { prompt: PROMPT })).status).toBe(403);
  expect((await viewer.read('/dashboard/playground')).status).toBe(403);
  expect((await viewer.read(`/dashboard/playground-events?run=${run}`)).status).toBe(403);
  expect(server.first.requests).toHaveLength(0);
});

test('the budget of the signed-in key refuses a call, and says so for that candidate alone', async () => {
  const server = await dashboardServer({
    ...STORED,
    limits: [{ for: { key: '*' }, windows: [{ '1h': '1 requests' }] }],
  });
  const { decide, ask } = await person(server);
  const text = await ask(await decide());
  expect(text.match(/class="notice fault"/g)).toHaveLength(1);
  expect(text.match(/tokens in, /g)).toHaveLength(1);
  expect(server.first.requests).toHaveLength(1);
});

test('a provider that fails is told for its candidate', async () => {
  const server = await dashboardServer(STORED, { upstream: { apiKey: 'another one' } });
  const { decide, ask } = await person(server);
  const text = await ask(await decide());
  expect(text.match(/class="notice fault"/g)).toHaveLength(2);
  expect(text).not.toContain('Keep the grades');
});

test('what is wrong with a form is said, and nothing is called', async () => {
  const server = await dashboardServer(STORED);
  const { send, read, decide } = await person(server);
  for (const [fields, why] of [
    [{ prompt: '  \n' }, 'the prompt is empty'],
    [{ prompt: 'x'.repeat(100_001) }, 'at most 100000 are taken'],
    [{ prompt: 'x', profile: 'none' }, 'no such profile'],
  ] as const) {
    expect((await send('decide-prompt', fields)).headers.get('location')).toBe('/dashboard/playground');
    expect((await read('/dashboard/playground')).text).toContain(why);
  }
  const at = await decide();
  const run = at.split('/').at(-1)!;
  for (const [fields, why] of [
    [{ max_tokens: '256' }, 'choose at least one candidate'],
    [{ max_tokens: '1000000', candidate: 'cheap' }, 'at most 256, 1024, 4096 tokens'],
    [{ max_tokens: '256', candidate: 'nobody' }, 'choose at least one candidate'],
  ] as const) {
    await send('ask-candidates', { run, ...fields });
    expect((await read(at)).text).toContain(why);
  }
  expect(server.first.requests).toHaveLength(0);
});

test('a captured request is tried again only if the configuration lets it, with its redacted words', async () => {
  for (const replay of [false, true]) {
    const server = await dashboardServer({ ...STORED, capture: { share: 1, replay } });
    const asked = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.keys.none.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: PROMPT }] }),
    });
    await asked.text();
    const id = asked.headers.get('x-plimsoll-decision-id')!;
    const { log } = server.gateway.state!;
    await expect.poll(() => log.get(CAPTURED, id), { timeout: 20_000 }).toBeDefined();
    const { read } = await person(server);
    const viewer = await person(server, 'view');
    const link = `/dashboard/playground?from=${id}`;
    expect((await read(`/dashboard/live/${id}`)).text.includes(link)).toBe(replay);
    expect((await viewer.read(`/dashboard/live/${id}`)).text).not.toContain(link);
    const form = await read(link);
    expect(form.status).toBe(replay ? 200 : 404);
    if (replay) expect(form.text).toContain('write to [email 1].');
    expect((await read('/dashboard/playground?from=dec_nothing')).status).toBe(404);
  }
});
