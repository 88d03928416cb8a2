import { expect, test } from 'vitest';
import { loadConfig } from '../../router/config/index.ts';
import { safeError } from '../../router/errors.ts';
import { createLogger } from '../../router/telemetry/index.ts';
import { runServe } from '../../scripts/commands/serve.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { serving } from './serving.ts';

test('a port that is in use is named, with the ways out', async () => {
  const first = await serving();
  const { folder: artifact } = await tinyArtifact();
  const second = runServe({ artifact, port: first.port, logLevel: 'silent' });
  await expect(second).rejects.toMatchObject({
    name: 'PlimsollError',
    code: 'io',
    message: expect.stringMatching(
      new RegExp(`^Port ${first.port} is in use, .*server\\.port.*PLIMSOLL_PORT.*--port`),
    ),
  });
  await first.close();
});

test('an address of another machine is refused as such', async () => {
  const started = serving({ server: { host: '192.0.2.1' } });
  await expect(started).rejects.toMatchObject({ code: 'io', place: { field: 'server.host' } });
});

test('says what serves, by which verdict, and nothing else if all is in order', async () => {
  const server = await serving();
  const [first] = server.log.map((line) => JSON.parse(line));
  expect(first).toMatchObject({
    level: 'info',
    msg: `Plimsoll listens on ${server.url}`,
    artifact: 'tiny',
    sha256: server.router.artifact.sha256.slice(0, 12),
    policy: 'default',
    threshold: 0.3,
    ladder: 'cheap=tiny-cheap-1 < strong=tiny-strong-1',
    verdict: expect.stringMatching(/^PASS by made-up-suite until \d{4}-/),
  });
  expect(server.log).toHaveLength(1);
  await server.close();
});

test('warns if others can reach it', async () => {
  const server = await serving({ server: { host: '0.0.0.0' } });
  expect(server.log.join('')).toContain('no authentication');
  expect(server.url).toBe(`http://localhost:${server.port}`);
  await server.close();
});

test('on a terminal a log line is one readable line, elsewhere it is JSON', () => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  createLogger('info', { isTTY: true, write }).warn({ artifact: 'tiny', n: 2 }, 'look');
  createLogger('info', { write }).info('plain');
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d /);
  expect(lines[0]!.slice(9)).toBe('\u001b[33mwarn\u001b[0m look artifact=tiny n=2\n');
  expect(JSON.parse(lines[1]!)).toMatchObject({ level: 'info', msg: 'plain' });
});

test('a foreign error is logged by name and place, without its message', () => {
  const logged = safeError(new TypeError('secret\n    at secret'));
  expect(logged.error).toBe('TypeError');
  expect(logged.where).toContain('start-up.test.ts');
  expect(JSON.stringify(logged)).not.toContain('secret');
});

test('PORT counts if PLIMSOLL_PORT is not set; what is no port is refused by name', () => {
  const portOf = (env: NodeJS.ProcessEnv) => loadConfig(undefined, env).server.port;
  expect(portOf({ PORT: '1234' })).toBe(1234);
  expect(portOf({ PORT: '1234', PLIMSOLL_PORT: '0' })).toBe(0);
  expect(portOf({ PORT: '1234', PLIMSOLL_PORT: '' })).toBe(1234);
  expect(portOf({ PORT: '' })).toBe(8787);
  expect(loadConfig(undefined, { PORT: '1234' }, { port: 4321 }).server.port).toBe(4321);
  for (const text of ['x', '-1', '65536', '1.5', '0x50', ' ', '1e3']) {
    for (const name of ['PORT', 'PLIMSOLL_PORT']) {
      expect(() => portOf({ [name]: text })).toThrow(new RegExp(`^${name} must be a port number`));
    }
  }
  expect(() => portOf({ PLIMSOLL_PORT: 'tcp://10.0.0.1:8787' })).toThrow(/enableServiceLinks: false/);
});

test('the command line goes before the environment, the environment before the defaults', () => {
  const env = { PLIMSOLL_PORT: '1234', PLIMSOLL_LOG_LEVEL: 'debug' };
  expect(loadConfig(undefined, env).server.port).toBe(1234);
  const config = loadConfig(undefined, env, { port: 4321, host: '::1', logLevel: 'error' });
  expect([config.server.port, config.server.host, config.logLevel]).toEqual([4321, '::1', 'error']);
  expect(() => loadConfig(undefined, {}, { port: 70_000 })).toThrow(/the command line, field "server\.port"/);
});
