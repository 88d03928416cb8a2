import { chmodSync } from 'node:fs';
import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { formToken, sendForm, signedIn, visit } from './dashboard-client.ts';
import { PROVIDER, type ServedFile, servedFile } from './served-file.ts';

const REST = `${PROVIDER}  first/spread: # two places
    price: { input: 1, output: 2 }
    deployments:
      - { provider: first, model: a, weight: 3 }
      - provider: first # without a weight
        model: b

# cheapest first
ladder:
  cheap:   'first/small'   # for most
  strong: first/large
profiles:
  support: { ladder: { cheap: { model: first/small } } }


allow_ungated: true
limits:
  - name: all
    windows: [{ 24h: 10 usd }, { month: 1_000_000 tokens }]
experiments:
  halves:
    kind: split
    profile: support
    arms:
      now: { profile: support, weight: 0.5 }
      other: { profile: default, weight: 0.5 }
`;

const CHEAP = '["ladder","cheap"]';
const LIMIT = '["limits",0,"windows",0,"24h"]';

/** What the page asks to confirm. */
async function asked(server: ServedFile, given: Record<string, string>) {
  const page = await server.shown('admin', `/change?${new URLSearchParams(given)}`);
  const { document } = parseHTML(page);
  const fields = [...document.querySelectorAll('form[action$="change-configuration"] input[type="hidden"]')];
  const entries = fields.map((one) => [one.getAttribute('name')!, one.getAttribute('value')!] as const);
  const { form: _, ...rest } = Object.fromEntries(entries);
  return { page, fields: rest as Record<string, string> };
}

async function confirmedChange(server: ServedFile, given: Record<string, string>): Promise<string> {
  const { fields } = await asked(server, given);
  return server.changed('change-configuration', { ...fields, sure: 'yes' });
}

test('a model, an amount and a weight are written, nothing else in the file moves, and they are in force', async () => {
  const server = await servedFile(REST);
  const before = server.read();
  const page = await server.shown('admin');
  expect(page).toContain('The ladder of the profile support');
  const { page: question } = await asked(server, { [CHEAP]: 'first/other', [LIMIT]: '25 usd' });
  expect(server.read()).toBe(before); // it was only shown
  expect(question).toContain('24h usd, at most 25');
  expect(question).toMatch(/cheap learned from .* With first\/other in its place the router is stale/);
  const done = await confirmedChange(server, { [CHEAP]: 'first/other', [LIMIT]: '25 usd' });
  expect(done).toContain('and in force: ladder.cheap: first/other (was first/small)');
  expect(server.read()).toBe(
    before
      .replace("cheap:   'first/small'   # for most", 'cheap:   first/other   # for most')
      .replace('10 usd', '25 usd'),
  );
  expect(server.router.ladder.map(({ model }) => model)).toEqual(['first/other', 'first/large']);
  expect(server.router.stale).toBe(true);
  // A weight that is not written is added; names with dots and slashes are no matter.
  const weight = '["models","first/spread","deployments",1,"weight"]';
  await confirmedChange(server, { [weight]: '2', '["models","first/spread","deployments",0,"weight"]': '4' });
  expect(server.read()).toContain('model: a, weight: 4 }');
  expect(server.read()).toContain(
    'provider: first # without a weight\n        model: b\n        weight: 2\n\n# cheapest',
  );
  const model = '["profiles","support","ladder","cheap","model"]';
  await confirmedChange(server, { [model]: 'first/large' });
  expect(server.read()).toContain('{ cheap: { model: first/large } }');
  const arms = (name: string) => `["experiments","halves","arms","${name}","weight"]`;
  await confirmedChange(server, { [arms('now')]: '0.9', [arms('other')]: '.1' });
  expect(server.read()).toContain('other: { profile: default, weight: 0.1 }');
  const changes = await (
    await visit(`${server.url}/dashboard/changes`, { headers: await signedIn(server.url, server.keys.admin) })
  ).text();
  expect(changes).toContain('ladder.cheap: first/other (was first/small)');
});

test('of two people who change at once the second is told so, and nothing of theirs is written', async () => {
  const server = await servedFile(REST);
  const { url, keys } = server;
  const { fields: one } = await asked(server, { [CHEAP]: 'first/other' });
  const { fields: other } = await asked(server, { [LIMIT]: '30 usd' });
  const send = async (fields: Record<string, string>) => {
    const headers = await signedIn(url, keys.admin);
    const form = await formToken(url, headers);
    await sendForm(url, '/dashboard/change-configuration', { form, ...fields, sure: 'yes' }, headers);
    return (await visit(`${url}/dashboard/configuration`, { headers })).text();
  };
  const said = await Promise.all([send(one), send(other)]);
  expect(said.filter((text) => text.includes('and in force'))).toHaveLength(1);
  expect(said.filter((text) => text.includes('meanwhile'))).toHaveLength(1);
  // So is who changes what an editor saved since.
  const { fields } = await asked(server, { [LIMIT]: '40 usd' });
  const saved = `${server.read()}# by hand\n`;
  server.write(saved);
  expect(await send(fields)).toContain('somebody changed');
  expect(server.read()).toBe(saved);
});

test('what is refused leaves the file as it was: by the schema, by the server, by a running experiment', async () => {
  const server = await servedFile(REST);
  const before = server.read();
  const says = async (given: Record<string, string>) => (await asked(server, given)).page;
  expect(await says({ [LIMIT]: 'plenty' })).toContain('must be a number and what is counted');
  expect(await says({ '["experiments","halves","arms","now","weight"]': '0.7' })).toContain('must sum to 1');
  expect(await says({ '["experiments","halves","arms","now","weight"]': 'x' })).toContain('must be a number');
  expect(await says({})).toContain('all values are as they are');
  expect(await says({ '["server","port"]': '1', [LIMIT]: '10 usd' })).toContain('all values are as they are');
  const refused = await confirmedChange(server, { [CHEAP]: 'first/nowhere' });
  expect(refused).toContain('no model &quot;first/nowhere&quot; in the catalog');
  expect(refused).toContain('is as it was before');
  expect(server.read()).toBe(before);
  expect(server.router.ladder[0]?.model).toBe('first/small');
  expect(await server.reload()).toMatchObject({ ok: true });
  expect(await server.changed('start-experiment', { experiment: 'halves', sure: 'yes' })).toContain(
    'is started',
  );
  const arms = (name: string) => `["experiments","halves","arms","${name}","weight"]`;
  expect(await says({ [arms('now')]: '0.9', [arms('other')]: '0.1' })).toContain('Stop it first');
  const { fields } = await asked(server, { [LIMIT]: '40 usd' });
  expect(await server.changed('change-configuration', fields)).toContain('not confirmed');
  const forged = { ...fields, '["server","port"]': '1', sure: 'yes' };
  await server.changed('change-configuration', forged);
  expect(server.read()).toBe(before.replace('10 usd', '40 usd'));
});

test('a value that an anchor shares is left to the file, and so is a file that is broken or read-only', async () => {
  const shared = REST.replace("'first/small'", '&small first/small').replace(
    '{ model: first/small }',
    '*small',
  );
  const server = await servedFile(shared);
  const before = server.read();
  const { page } = await asked(server, { [CHEAP]: 'first/other' });
  expect(page).toContain('such as by an anchor');
  server.write(`${before}nonsense: 1\n`);
  expect(await server.shown('admin')).toContain('is no configuration as it is now');
  expect(await server.changed('change-configuration', { sure: 'yes' })).toContain('Nothing was changed.');
  server.write(before);
  chmodSync(server.file, 0o444);
  expect(await server.shown('admin')).toContain('is read-only');
  chmodSync(server.file, 0o644);
});

test('of several instances each has its own file, and a server without one has none to change', async () => {
  const server = await servedFile(`${REST}instances: 2\n`);
  expect(await server.shown('admin')).toContain('There are 2 instances');
});

test('only an admin is offered a change, sees what it would be, and makes it', async () => {
  const server = await servedFile(REST);
  const before = server.read();
  for (const role of ['view', 'operate'] as const) {
    expect(await server.shown(role)).not.toContain('id="change"');
    expect(await server.shown(role, `/change?${new URLSearchParams({ [CHEAP]: 'first/other' })}`)).toContain(
      'Not allowed',
    );
  }
  const { fields } = await asked(server, { [CHEAP]: 'first/other' });
  expect(await server.changed('change-configuration', { ...fields, sure: 'yes' }, 'operate')).toMatch(/^403/);
  expect(server.read()).toBe(before);
});
