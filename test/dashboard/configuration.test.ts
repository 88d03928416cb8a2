import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { gatewayForTest } from '../gateway/running-gateway.ts';
import { visit } from './dashboard-client.ts';
import { PROVIDER, servedFile } from './served-file.ts';

test('only what somebody set differs from the defaults', async () => {
  const config = { state: { kind: 'memory' as const }, decision_log: { to: 'state' as const } };
  const { url } = await gatewayForTest({ config });
  const page = await (await visit(`${url}/dashboard/configuration`)).text();
  const own = page.slice(0, page.indexOf('<details'));
  expect(own).toContain('<code>decision_log.to</code>');
  expect(own).toContain('<code>state.kind</code>');
  expect(own).not.toMatch(/decision_log\.(?:keep|max_bytes|include_prompt)/);
});

/** Rows of the tables whose names begin so: the first cell -> the others. */
function rowsOf(page: string, name: string): ReadonlyMap<string, readonly string[]> {
  const { document } = parseHTML(page);
  const rows = [...document.querySelectorAll(`[aria-label^="Table: ${name}"] tbody tr`)];
  return new Map(
    rows.map((row) => {
      const [first, ...rest] = [...row.children].map((cell) => cell.textContent ?? '');
      return [first!, rest];
    }),
  );
}

const REST = `${PROVIDER}ladder:
  cheap: first/small
  # the best there is
  strong: first/large
profiles:
  base: { ladder: { cheap: first/other } }
  support:
    extends: base
    policy: always-strong
limits:
  - for: { model: first/large }
    at_limit: wait
    windows: [{ 24h: 10 usd }]
experiments:
  halves:
    kind: split
    arms:
      now: { profile: default, weight: 0.5 }
      other: { profile: support, weight: 0.5 }
`;

test('each setting says where it comes from: its line, a variable, a flag, a profile, or a default', async () => {
  const { shown, read, file } = await servedFile(
    REST,
    { PORT: '0', PLIMSOLL_LOG_LEVEL: 'silent' },
    { host: '127.0.0.1' },
  );
  const rows = rowsOf(await shown(), 'All settings');
  const lines = read().split('\n');
  const at = (text: string) => `${file}, line ${lines.findIndex((line) => line.includes(text)) + 1}`;
  const from = (field: string) => rows.get(field)?.at(-1);
  expect(from('ladder.strong')).toBe(at('strong: first/large'));
  expect(from('server.port')).toBe('PORT');
  expect(from('log_level')).toBe('PLIMSOLL_LOG_LEVEL');
  expect(from('server.host')).toBe('--host');
  expect(from('server.max_batch')).toBe('default');
  expect(from('upstream.deadline_ms')).toBe('default');
  expect(from('state.url')).toBe(at('state:'));
  expect(from('state.retention.max_age_days')).toBe('default');
  expect(from('models.first/large.price.input_usd')).toBe(at('first/large: {'));
  expect(from('profiles.support.policy')).toBe(at('policy:'));
  expect(from('profiles.support.ladder.cheap')).toBe(at('base:'));
  expect(from('profiles.support.ladder.strong')).toBe('as without a profile');
  expect(from('limits.0.windows.0')).toBe(at('24h'));
  expect(from('limits.0.when_full.at_limit')).toBe(at('at_limit'));
  expect(from('experiments.halves.arms.other.weight')).toBe(at('other: { profile'));
});

test('a configuration without a file has defaults and what the program says', async () => {
  const { url } = await gatewayForTest();
  const rows = rowsOf(await (await visit(`${url}/dashboard/configuration`)).text(), 'All settings');
  expect(rows.get('server.max_batch')?.at(-1)).toBe('default');
  expect(rows.get('ladder.cheap')?.at(-1)).toBe('the program');
});

test('the last ten reloads: what each changed, whether it was taken over, and why not', async () => {
  const server = await servedFile(
    `${PROVIDER}ladder: { cheap: first/small, strong: first/large }\nlimits:\n  - windows: [{ 24h: 10 usd }]\n`,
  );
  const { shown, write, read, reload } = server;
  expect(await shown()).toContain('None yet.');
  const before = read();
  await reload();
  expect(await shown()).toContain('None yet.'); // nothing changed
  write(
    before
      .replace('cheap: first/small', 'cheap: first/other')
      .replace('drain_timeout_ms: 500', 'drain_timeout_ms: 600'),
  );
  expect(await reload()).toMatchObject({ ok: true });
  let page = await shown();
  expect(page).toContain('taken over');
  expect(rowsOf(page, 'What the reload of ').get('ladder.cheap')).toEqual(['first/small', 'first/other']);
  expect(page).toMatch(/in force after a restart: server/);
  const good = read();
  write(good.replace('cheap: first/other', 'cheep: first/other'));
  expect(await reload()).toMatchObject({ ok: false });
  write(`${good}nonsense: true\n`);
  await reload();
  page = await shown();
  expect(page.match(/! refused/g)).toHaveLength(2);
  expect(page).toContain('has no such candidate');
  expect(page).toContain('field &quot;nonsense&quot;');
  expect(rowsOf(page, 'What the reload of ').get('ladder.cheep')).toEqual(['–', 'first/other']);
  for (let i = 0; i < 12; i++) {
    write(good.replace('10 usd', `${i + 20} usd`));
    await reload();
  }
  page = await shown();
  expect(page.match(/taken over/g)).toHaveLength(10);
  expect(page).toContain('24h usd, at most 31');
  expect(page).not.toContain('24h usd, at most 20');
});
