import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { CHANGES, type Change, changeFrom } from '../../router/records/index.ts';
import { PRICED_MODELS } from '../gateway/running-gateway.ts';
import {
  type DashboardServer,
  dashboardServer,
  formToken,
  scratch,
  sendForm,
  signedIn,
  visit,
} from './dashboard-client.ts';
import { EXPERIMENTS } from './experiment-records.ts';

const sqlite = () => ({ kind: 'sqlite' as const, url: path.join(scratch(), 'state.db') });

async function changed(
  { url, keys }: DashboardServer,
  role: 'operate' | 'admin',
  place: string,
  fields: Record<string, string>,
): Promise<string> {
  const headers = await signedIn(url, keys[role].key);
  const form = await formToken(url, headers);
  const sent = await sendForm(url, `/dashboard/${place}`, { form, ...fields }, headers);
  return (await visit(new URL(sent.headers.get('location')!, url).href, { headers })).text();
}

async function shown({ url, keys }: DashboardServer, role: 'operate' | 'admin'): Promise<string> {
  const headers = await signedIn(url, keys[role].key);
  return (await visit(`${url}/dashboard/changes`, { headers })).text();
}

async function kept({ gateway }: DashboardServer): Promise<readonly Change[]> {
  return (await gateway.state!.log.newest(CHANGES, 100)).flatMap((record) => changeFrom(record) ?? []);
}

test('each change is a record: who, what, of what, and what came of it; a secret is in none', async () => {
  const server = await dashboardServer({
    state: sqlite(),
    decision_log: { to: 'state' },
    models: PRICED_MODELS,
    profiles: { support: {}, old: {}, next: {} },
    experiments: EXPERIMENTS,
    allow_ungated: true,
  });
  const { keys } = server;
  const made = await changed(server, 'admin', 'create-key', { name: 'new one', role: 'view' });
  const secret = /plim_[0-9a-f]{12}_[\w-]+/.exec(made)![0];
  const id = keys.none.stored.id;
  await changed(server, 'admin', 'revoke-key', { id, sure: 'yes' });
  await changed(server, 'operate', 'start-experiment', { experiment: 'smaller', sure: 'yes' });
  await changed(server, 'operate', 'start-experiment', { experiment: 'smaller' });
  await changed(server, 'operate', 'decide-prompt', { prompt: 'a prompt that nobody keeps' });
  const admin = `key ${keys.admin.stored.id}`;
  const operator = `key ${keys.operate.stored.id}`;
  const records = await kept(server);
  expect(records.map(({ who, change, subject, outcome }) => [who, change, subject, outcome])).toEqual([
    [operator, 'start-experiment', 'smaller', 'refused'],
    [operator, 'start-experiment', 'smaller', 'done'],
    [admin, 'revoke-key', id, 'done'],
    [admin, 'create-key', undefined, 'done'],
  ]);
  const text = JSON.stringify(records) + server.log.join('');
  expect(text).not.toContain(secret);
  expect(text).not.toContain('a prompt that nobody keeps');
  // Keys are for admins, here too.
  expect(await shown(server, 'admin')).toContain('The key of calls only is revoked.');
  const seen = await shown(server, 'operate');
  expect(seen).toContain('smaller is started');
  expect(seen).not.toContain('calls only');
  expect(await server.gateway.state!.log.erase({ user: admin })).toBe(0);
});

test('what a form has in place of a name is not written down', async () => {
  const server = await dashboardServer({ state: sqlite() });
  for (const id of ['two words', 'x'.repeat(300), '<b>'])
    await changed(server, 'admin', 'revoke-key', { id, sure: 'yes' });
  expect((await kept(server)).map(({ subject, outcome }) => [subject, outcome])).toEqual(
    Array.from({ length: 3 }, () => [undefined, 'refused']),
  );
});

test('`plimsoll state export` prints them, and retention drops them', async () => {
  const state = sqlite();
  const server = await dashboardServer({ state });
  await changed(server, 'admin', 'create-key', { name: 'one' });
  const config = path.join(scratch(), 'config.yaml');
  writeFileSync(config, `state: ${JSON.stringify(state)}\n`);
  const run = (...args: string[]) =>
    execFileSync('node', ['scripts/plimsoll.mjs', 'state', ...args, '--config', config], {
      encoding: 'utf8',
    });
  const [line, ...more] = run('export', '--stream', 'changes').trim().split('\n');
  expect(more).toEqual([]);
  expect(JSON.parse(line!)).toMatchObject({
    schema_version: 1,
    who: `key ${server.keys.admin.stored.id}`,
    change: 'create-key',
    outcome: 'done',
    text: expect.stringContaining('The key of one'),
  });
  const { log } = server.gateway.state!;
  expect(await log.prune(CHANGES, { beforeMs: Date.now() + 1_000 })).toBe(1);
});

test('without a state the page says where changes are; a state that fails does not hold a change up', async () => {
  const without = await dashboardServer();
  await changed(without, 'admin', 'create-key', { name: 'one' });
  expect(await shown(without, 'admin')).toContain('in the log of the process alone');
  expect(without.log.join('')).toContain('The key of one');
  const server = await dashboardServer({ state: sqlite() });
  const headers = await signedIn(server.url, server.keys.admin.key);
  const form = await formToken(server.url, headers);
  await server.gateway.state!.close();
  await sendForm(server.url, '/dashboard/create-key', { form, name: 'two' }, headers);
  const made = await (await visit(`${server.url}/dashboard/keys`, { headers })).text();
  expect(made).toContain('The state could not keep the record of it');
  expect(made).toMatch(/plim_[0-9a-f]{12}_/);
  expect(server.log.join('')).toContain('The key of two');
});
