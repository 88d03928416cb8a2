import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { promote as promoteInStore, readCurrent } from '../../router/artifact/index.ts';
import { CHANGES, PAGES } from '../../router/dashboard/pages.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import {
  type DashboardServer,
  dashboardServer,
  formToken,
  scratch,
  sendForm,
  signedIn,
  visit,
} from './dashboard-client.ts';

const ROLES = ['view', 'operate', 'admin'] as const;

/** A store with two artifacts, the second of which serves. */
async function store(): Promise<string> {
  const folder = path.join(scratch(), 'store');
  const { folder: artifact } = await tinyArtifact();
  for (const name of ['one', 'two']) {
    cpSync(artifact, path.join(folder, name), { recursive: true });
    promoteInStore(folder, name, new Date());
  }
  return folder;
}

test('every page by every role: what a role may not see is refused, to others it is there', async () => {
  const { url, keys } = await dashboardServer({ artifact: await store() });
  for (const role of ROLES) {
    const headers = await signedIn(url, keys[role].key);
    for (const { path: place, role: needed } of PAGES) {
      const response = await visit(`${url}/dashboard/${place}`, { headers });
      const may = ROLES.indexOf(role) >= ROLES.indexOf(needed);
      expect([role, place, response.status]).toEqual([role, place, may ? 200 : 403]);
      const text = await response.text();
      for (const { key } of Object.values(keys)) expect(text).not.toContain(key);
    }
    expect((await visit(`${url}/dashboard/nothing`, { headers })).status).toBe(404);
    expect((await visit(`${url}/dashboard/%ff`, { headers })).status).toBe(404);
  }
});

test('nothing but signing in is there without a session', async () => {
  const { url } = await dashboardServer();
  for (const { path: place } of [...PAGES, { path: 'live/dec_1' }, { path: 'live-events' }]) {
    const response = await visit(`${url}/dashboard/${place}`);
    expect([place, response.status]).toEqual([place, 401]);
  }
  for (const { path: place } of CHANGES)
    expect((await sendForm(url, `/dashboard/${place}`, {})).status).toBe(401);
});

test('every change by every role: the role, the session’s own form and this origin are asked for', async () => {
  const folder = await store();
  const { url, keys, keysFile } = await dashboardServer({ artifact: folder });
  const before = readFileSync(keysFile, 'utf8');
  for (const role of ROLES) {
    const headers = await signedIn(url, keys[role].key);
    const form = await formToken(url, headers);
    const other = await formToken(url, await signedIn(url, keys.admin.key));
    for (const { path: place, role: needed } of CHANGES) {
      const fields = {
        artifact: 'one',
        experiment: 'smaller',
        id: keys.none.stored.id,
        name: 'x',
        sure: 'yes',
      };
      const status = async (given: object, from: Record<string, string> = headers) =>
        (await sendForm(url, `/dashboard/${place}`, { ...fields, ...given }, from)).status;
      expect(await status({})).toBe(403);
      expect(await status({ form: other })).toBe(403);
      expect(await status({ form }, { ...headers, origin: 'https://evil.example' })).toBe(403);
      expect(await status({ form }, { ...headers, origin: 'null' })).toBe(403);
      expect(await status({ form }, { ...headers, 'sec-fetch-site': 'cross-site' })).toBe(403);
      if (ROLES.indexOf(role) < ROLES.indexOf(needed)) expect(await status({ form })).toBe(403);
      const got = await visit(`${url}/dashboard/${place}?form=${form}`, { headers });
      expect(got.status).toBe(404);
    }
  }
  expect(readFileSync(keysFile, 'utf8')).toBe(before);
  expect(readCurrent(folder)?.artifact).toBe('two');
});

/** Sends a change, and reads what the next page says of it. */
async function changed(
  { url, keys }: DashboardServer,
  role: (typeof ROLES)[number],
  place: string,
  fields: Record<string, string>,
): Promise<string> {
  const headers = await signedIn(url, keys[role].key);
  const form = await formToken(url, headers);
  const response = await sendForm(url, `/dashboard/${place}`, { form, ...fields }, headers);
  expect(response.status).toBe(303);
  const next = new URL(response.headers.get('location') ?? '', url);
  const shown = await (await visit(next.href, { headers })).text();
  const again = await (await visit(next.href, { headers })).text();
  expect(again).not.toContain('class="notice'); // said once
  return shown;
}

test('a key is made, shown once and works; then it is revoked', async () => {
  const server = await dashboardServer();
  const fields = { name: 'new one', role: 'view', team: 'search', days: '7' };
  const shown = await changed(server, 'admin', 'create-key', fields);
  const key = /plim_[0-9a-f]{12}_[\w-]+/.exec(shown)?.[0] ?? '';
  await expect
    .poll(() =>
      signedIn(server.url, key).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  expect(readFileSync(server.keysFile, 'utf8')).not.toContain(key);
  const id = key.split('_')[1]!;
  expect(await changed(server, 'admin', 'revoke-key', { id })).toContain('not confirmed');
  expect(await changed(server, 'admin', 'revoke-key', { id, sure: 'yes' })).toContain('is revoked');
  await expect
    .poll(() =>
      signedIn(server.url, key).then(
        () => true,
        () => false,
      ),
    )
    .toBe(false);
  for (const [bad, why] of [
    [{ name: '' }, '1 to 100 characters'],
    [{ name: 'x', team: 'a b' }, 'letters, digits'],
    [{ name: 'x', days: '0' }, 'whole number of days'],
    [{ name: 'x', profile: 'none' }, 'no such profile'],
  ] as const) {
    expect(await changed(server, 'admin', 'create-key', bad)).toContain(why);
  }
});

test('a role that is none is refused, with the roles that there are, and no key is made', async () => {
  const { url, keys, keysFile } = await dashboardServer();
  const headers = await signedIn(url, keys.admin.key);
  const form = await formToken(url, headers);
  const before = readFileSync(keysFile, 'utf8');
  for (const role of ['root', 'Admin', 'view operate', '__proto__']) {
    const refused = await sendForm(url, '/dashboard/create-key', { form, name: 'x', role }, headers);
    expect([role, refused.status]).toEqual([role, 400]);
    expect(await refused.text()).toContain('view, operate, admin');
  }
  expect(readFileSync(keysFile, 'utf8')).toBe(before);
});

test('without a way to promote the page shows what serves, and refuses to change it', async () => {
  const server = await dashboardServer({ artifact: await store() });
  expect(await changed(server, 'operate', 'promote', { artifact: 'one', sure: 'yes' })).toContain(
    'nothing to choose from',
  );
});

/** Where the history of the store stands, by the forms of the page. */
async function stepShown({ url, keys }: DashboardServer): Promise<string> {
  const headers = await signedIn(url, keys.operate.key);
  const page = await (await visit(`${url}/dashboard/verdicts`, { headers })).text();
  return /name="since" value="([^"]+)"/.exec(page)![1]!;
}

test('of two people who promote at once the second is told what serves by now, and changes nothing', async () => {
  const folder = path.join(scratch(), 'store');
  for (const name of ['one', 'two', 'three'])
    cpSync('models/starter', path.join(folder, name), { recursive: true });
  cpSync('models/looks.jsonl', path.join(folder, 'looks.jsonl'));
  for (const name of ['one', 'two']) promoteInStore(folder, name, new Date());
  const promotion = () => import('../../evals/lifecycle/index.ts');
  const server = await dashboardServer({ artifact: folder }, { promotion });
  const since = await stepShown(server);
  const said = await Promise.all([
    changed(server, 'operate', 'promote', { artifact: 'three', since, sure: 'yes' }),
    changed(server, 'admin', 'rollback', { since, sure: 'yes' }),
  ]);
  const isDone = (text: string) => /serves (?:from now on|again);/.test(text);
  expect(said.filter(isDone)).toHaveLength(1);
  const current = readCurrent(folder)!;
  expect(current.history).toHaveLength(3);
  expect(said.find((text) => !isDone(text))).toContain(
    `Nothing was changed: since you loaded the page, somebody else made ${current.artifact} serve.`,
  );
});

test('an operator promotes and rolls back, by the same checks as the commands', async () => {
  const folder = path.join(scratch(), 'store');
  for (const name of ['one', 'two']) cpSync('models/starter', path.join(folder, name), { recursive: true });
  cpSync('models/looks.jsonl', path.join(folder, 'looks.jsonl'));
  promoteInStore(folder, 'one', new Date());
  promoteInStore(folder, 'two', new Date());
  const promotion = () => import('../../evals/lifecycle/index.ts');
  const server = await dashboardServer({ artifact: folder }, { promotion });
  expect(await changed(server, 'operate', 'promote', { artifact: 'one' })).toContain('not confirmed');
  expect(readCurrent(folder)?.artifact).toBe('two');
  for (const artifact of ['../two', '.', '', 'three']) {
    const refused = await changed(server, 'operate', 'promote', { artifact, sure: 'yes' });
    expect(refused).toContain('no such artifact');
  }
  const since = await stepShown(server);
  const promoted = await changed(server, 'operate', 'promote', { artifact: 'one', since, sure: 'yes' });
  expect(promoted).toContain('one serves from now on');
  expect(readCurrent(folder)?.artifact).toBe('one');
  const back = { since: await stepShown(server), sure: 'yes' };
  expect(await changed(server, 'operate', 'rollback', back)).toContain('two serves again');
  expect(readCurrent(folder)?.artifact).toBe('two');
  const logged = server.log.map((line) => JSON.parse(line)).filter(({ change }) => change === 'promote');
  expect(logged.at(-1)).toMatchObject({ who: `key ${server.keys.operate.stored.id}`, outcome: 'done' });
});
