import { expect, test } from 'vitest';
import { LEGAL, SUPPORT } from '../gateway/people-gateway.ts';
import { ask, gatewayForTest, postRaw } from '../gateway/running-gateway.ts';
import {
  type DashboardServer,
  dashboardServer,
  formToken,
  sendForm,
  signedIn,
  visit,
} from './dashboard-client.ts';

const HOSTILE = '<script>alert(1)</script> & "May we?"';

async function withTask() {
  const server = await dashboardServer({
    people: { support: SUPPORT },
    rules: [{ name: 'legal', when: { tag: 'legal' }, use: 'human' }],
    state: { kind: 'memory' },
  });
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { ...LEGAL, ...bearer(server), 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: HOSTILE }] }),
  });
  const { id } = (await response.json()) as { id: string };
  return { ...server, id };
}

const bearer = ({ keys }: Pick<DashboardServer, 'keys'>) => ({ authorization: `Bearer ${keys.none.key}` });

async function pageAt(url: string, headers: Record<string, string>) {
  const response = await visit(url, { headers });
  return { status: response.status, text: await response.text() };
}

test('a request is claimed and answered on the page, and the client gets the text as it was written', async () => {
  const server = await withTask();
  const { url, keys, id } = server;
  const headers = await signedIn(url, keys.operate.key);
  const queue = await pageAt(`${url}/dashboard/people`, headers);
  expect(queue.text).toContain(`href="/dashboard/people/${id}"`);
  expect(queue.text).not.toContain('May we?');
  const at = `${url}/dashboard/people/${id}`;
  const open = await pageAt(at, headers);
  expect(open.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;May we?&quot;');
  expect(open.text).not.toContain('<script>alert');
  const form = await formToken(url, headers);
  const claimed = await sendForm(url, '/dashboard/claim-task', { form, id }, headers);
  expect([claimed.status, claimed.headers.get('location')]).toEqual([303, `/dashboard/people/${id}`]);
  expect((await pageAt(at, headers)).text).toContain('Claimed until');
  const other = await signedIn(url, keys.admin.key);
  expect((await pageAt(at, other)).text).toContain('Somebody else has it');
  const text = `Ja: "innerhalb von zwei Wochen" <b>\n${'ü'.repeat(20_000)}`; // longer than other forms may be
  const sent = await sendForm(
    url,
    '/dashboard/answer-task',
    { form, id, text: text.replace('\n', '\r\n') },
    headers,
  );
  expect(sent.status).toBe(303);
  expect((await pageAt(`${url}/dashboard/people`, headers)).text).toContain('The reply is with the client.');
  const reply = await fetch(`${url}/v1/people/replies/${id}`, { headers: bearer(server) });
  const { choices } = (await reply.json()) as { choices: { message: { content: string } }[] };
  expect(choices[0]!.message.content).toBe(text);
  const again = await sendForm(url, '/dashboard/answer-task', { form, id, text: 'Nein.' }, headers);
  expect(again.status).toBe(303);
  expect((await pageAt(`${url}/dashboard/people`, headers)).text).toContain('has a reply already');
});

test('who may only look sees no queue and answers nothing; a form of another session changes nothing', async () => {
  const { url, keys, id } = await withTask();
  const viewer = await signedIn(url, keys.view.key);
  expect((await pageAt(`${url}/dashboard/people/${id}`, viewer)).status).toBe(403);
  const own = await formToken(url, viewer);
  const refused = await sendForm(url, '/dashboard/answer-task', { form: own, id, text: 'No.' }, viewer);
  expect(refused.status).toBe(403);
  const headers = await signedIn(url, keys.operate.key);
  const forged = await sendForm(url, '/dashboard/answer-task', { form: own, id, text: 'No.' }, headers);
  expect(forged.status).toBe(403);
  const form = await formToken(url, headers);
  const elsewhere = { ...headers, origin: 'https://elsewhere.example' };
  expect((await sendForm(url, '/dashboard/claim-task', { form, id }, elsewhere)).status).toBe(403);
  expect((await pageAt(`${url}/dashboard/people/${id}`, headers)).text).toContain('nobody has claimed it');
  const missing = `task_${'0'.repeat(8)}-0000-7000-8000-${'0'.repeat(12)}`;
  expect((await pageAt(`${url}/dashboard/people/${missing}`, headers)).status).toBe(404);
  const away = await sendForm(url, '/dashboard/claim-task', { form, id: '//elsewhere.example' }, headers);
  expect(away.headers.get('location')).toBe('/dashboard/people/%2F%2Felsewhere.example');
});

test('without keys on this machine anybody answers on the page, too, and a form of another page changes nothing', async () => {
  const { url } = await gatewayForTest({
    config: {
      people: { support: SUPPORT },
      rules: [{ name: 'legal', when: { tag: 'legal' }, use: 'human' }],
      state: { kind: 'memory' },
    },
  });
  const asked = await postRaw(url, '/v1/chat/completions', ask('May we?'), LEGAL);
  const { id } = (await asked.json()) as { id: string };
  const home = await visit(`${url}/dashboard`);
  expect(home.headers.get('set-cookie')).toBeNull();
  expect(await home.text()).toContain('<a href="/dashboard/people">People</a>');
  const opened = await visit(`${url}/dashboard/people/${id}`);
  const set = opened.headers.get('set-cookie') ?? '';
  expect(set).toContain('HttpOnly; SameSite=Strict');
  const headers = { cookie: set.split(';')[0]! };
  const form = /name="form" value="([^"]+)"/.exec(await opened.text())![1]!;
  const text = 'Within two weeks.';
  const answer = (fields: Record<string, string>, more: Record<string, string>) =>
    sendForm(url, '/dashboard/answer-task', { id, text, ...fields }, more);
  expect((await answer({}, headers)).status).toBe(403);
  expect((await answer({ form }, {})).status).toBe(403); // no cookie
  expect((await answer({ form }, { ...headers, origin: 'http://elsewhere.example' })).status).toBe(403);
  expect((await fetch(`${url}/v1/people/replies/${id}`)).status).toBe(202);
  for (const place of ['start-experiment', 'promote', 'create-key'])
    expect((await sendForm(url, `/dashboard/${place}`, { form, name: 'x' }, headers)).status).not.toBe(303);
  expect((await visit(`${url}/dashboard/changes`, { headers })).status).toBe(403);
  expect((await answer({ form }, headers)).status).toBe(303);
  const reply = (await (await fetch(`${url}/v1/people/replies/${id}`)).json()) as {
    choices: { message: { content: string } }[];
  };
  expect(reply.choices[0]!.message.content).toBe(text);
  expect((await pageAt(`${url}/dashboard/people`, headers)).text).toContain('The reply is with the client.');
});
