import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { OUTAGE, plannedHour } from '../../scripts/demo/schedule.ts';
import { cli, ended, expectRefusal, jsonOf, startCli } from '../cli/run-cli.ts';
import { itLong } from '../helpers/long-run.ts';

/** Where the process keeps what is temporary, so that it is seen whether anything stays. */
function emptyTemporaryFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-demo-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return { env: { TMPDIR: folder }, left: () => readdirSync(folder) };
}

/** All that it printed, once it said so. */
const told = (child: ReturnType<typeof startCli>, pattern: RegExp) =>
  new Promise<string>((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
    });
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (pattern.test(text)) resolve(text);
    });
    child.on('close', () => reject(new Error(`it ended: ${text}`)));
  });

test('--once --json: one summary of all kinds of requests, and nothing is left', {
  timeout: 180_000,
}, async () => {
  const { env, left } = emptyTemporaryFolder();
  const args = ['demo', '--once', '--json', '--requests', '200', '--speed', '3600', '--port', '0'];
  const summary = jsonOf(await cli(args, { env }));
  expect(summary).toMatchObject({ schema_version: 1, made_up: true, interrupted: false, requests: 200 });
  const planned = plannedHour(200, 20_261_201);
  expect(summary.streams).toBe(planned.filter(({ stream }) => stream).length);
  expect(summary.by_status).toMatchObject({ 200: expect.any(Number), 404: expect.any(Number) });
  expect(Object.keys(summary.by_model)).toEqual(
    expect.arrayContaining(['alpha/small-models', 'beta/large-models', 'gamma/large-models']),
  );
  for (const count of ['sessions', 'fallbacks', 'feedback', 'cost_usd'])
    expect(summary[count], count).toBeGreaterThan(0);
  expect(summary.always_strong_usd).toBeGreaterThan(summary.cost_usd);
  expect(left()).toEqual([]);
});

itLong(
  'every page has something to show and says that it is made up; Ctrl-C ends it',
  {
    timeout: 180_000,
  },
  async () => {
    const { env, left } = emptyTemporaryFolder();
    const child = startCli(['demo', '--requests', '250', '--speed', '3600', '--port', '0'], { env });
    onTestFinished(() => void child.kill('SIGKILL'));
    const end = ended(child);
    const text = await told(child, /The server goes on/);
    const [, url] = /Dashboard: +(http:\S+)\/dashboard/.exec(text)!;
    const [link] = /http:\S+\/dashboard\/enter\/\S+/.exec(text)!;
    const entered = await fetch(link);
    const cookie = entered.headers.get('set-cookie')!.split(';')[0]!;
    const shown = {
      '': / saved|paid/,
      live: /alpha\/small-models/,
      verdicts: /PASS/,
      watch: /After \d+ requests/,
      experiments: /newcomer/,
      people: /[1-9]\srequests?\swaits?<[\s\S]*legal/,
      budgets: /team=sales/,
      providers: /gamma\/large-models/,
      keys: /nightly/,
      configuration: /alpha\/small-models/,
    };
    for (const [name, pattern] of Object.entries(shown)) {
      const html = await page(url!, name, cookie);
      expect(html, name).toMatch(pattern);
      expect(html, name).toContain('Demonstration: made-up requests and made-up models.');
    }
    expect(await (await fetch(`${url}/dashboard`)).text()).toContain('Demonstration: made-up');
    child.kill('SIGINT');
    const { code, signal, stdout, stderr } = await end;
    expect({ code, signal }, stderr).toEqual({ code: 0, signal: null });
    expect(stdout).toMatch(/\d+ requests in [\d.]+ s/);
    expect(stderr).not.toMatch(/Warning|Error/);
    expect(left()).toEqual([]);
  },
);

async function page(url: string, name: string, cookie: string): Promise<string> {
  return (await fetch(`${url}/dashboard/${name}`, { headers: { cookie } })).text();
}

itLong('its own curl command gets a routed reply', { timeout: 120_000 }, async () => {
  const { env } = emptyTemporaryFolder();
  const child = startCli(['demo', '--requests', '1', '--port', '0'], { env });
  onTestFinished(() => void child.kill('SIGKILL'));
  const end = ended(child);
  const text = await told(child, /Ctrl-C ends it/);
  const [, address, key] = /curl (\S+) -H 'authorization: Bearer (\S+)'/.exec(text)!;
  const [, body] = /-d '(.*)' -i/.exec(text)!;
  const response = await fetch(address!, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: body!,
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('x-plimsoll-served')).toBe('alpha/small-models');
  child.kill('SIGTERM');
  expect((await end).code).toBe(0);
});

test('a port that is taken is one line, and leaves nothing', { timeout: 120_000 }, async () => {
  const { env, left } = emptyTemporaryFolder();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as { port: number };
  const refused = await cli(['demo', '--port', String(port)], { env });
  expectRefusal(
    refused,
    new RegExp(`Port ${port} is in use, .*Choose another with --port; 0 takes a free one\\.`),
  );
  expect(refused.stderr).not.toContain('plimsoll.config.yaml'); // of which the demonstration has one of its own
  expect(left()).toEqual([]);
});

test.each([
  ['a folder that is not there', 'none', /TMPDIR may name \(ENOENT\): no such folder\./],
  ['a file', 'file', /TMPDIR may name \(ENOTDIR\): a part of the path is a file\./],
])('TMPDIR is %s: one line that names it', { timeout: 120_000 }, async (_, name, message) => {
  const { env } = emptyTemporaryFolder();
  writeFileSync(path.join(env.TMPDIR, 'file'), '');
  expectRefusal(
    await cli(['demo', '--port', '0'], { env: { TMPDIR: path.join(env.TMPDIR, name) } }),
    message,
  );
});

test('the hour is the same each time, in order, and has all kinds of requests', () => {
  const planned = plannedHour(600, 1);
  expect(planned).toEqual(plannedHour(600, 1));
  expect(planned).not.toEqual(plannedHour(600, 2));
  expect(planned.map(({ atMs }) => atMs)).toEqual(planned.map(({ atMs }) => atMs).sort((a, b) => a - b));
  const during = planned.filter(({ atMs }) => atMs >= OUTAGE.fromMs && atMs < OUTAGE.untilMs);
  expect(during.length).toBeGreaterThan(20);
  for (const value of ['auto', 'auto:careful', 'auto:drafts', 'beta/large-models', 'beta/no-such-model'])
    expect(planned.map(({ model }) => model)).toContain(value);
  expect(new Set(planned.map(({ api }) => api)).size).toBe(3);
  expect(planned.some(({ turns }) => turns.length > 4)).toBe(true);
  expect(planned.every(({ turns }) => turns.length % 2 === 1)).toBe(true);
  expect(planned.some(({ tools }) => tools)).toBe(true);
});
