import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readKeys } from '../../router/access/index.ts';
import { readCurrent, writeArtifact } from '../../router/artifact/index.ts';
import { withLock } from '../../router/files/index.ts';
import { draft } from '../artifact/draft.ts';
import { cli, startCli } from '../cli/run-cli.ts';
import { LONG_RUN } from '../helpers/long-run.ts';
import { layRecordedVerdict } from '../helpers/recorded-verdict.ts';
import { hiddenIn } from './tiny-disk.ts';

function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('keys created by processes at once are all on file', async () => {
  const folder = scratchFolder();
  const file = path.join(folder, 'keys.json');
  const names = Array.from({ length: LONG_RUN ? 6 : 3 }, (_, i) => `key ${i}`);
  const ended = await Promise.all(
    names.map((name) => cli(['keys', 'create', '--name', name, '--file', file])),
  );
  expect(ended.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual(names.map(() => 0));
  expect(
    readKeys(file)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(names);
  expect(hiddenIn(folder)).toEqual([]);
}, 60_000);

test('promotes at once are all in the history', async () => {
  const folder = scratchFolder();
  const names = LONG_RUN ? ['a', 'b', 'c', 'd'] : ['a', 'b'];
  for (const name of names) {
    writeArtifact(path.join(folder, name), draft);
    layRecordedVerdict(path.join(folder, name));
  }
  const ended = await Promise.all(
    names.map((name) => cli(['promote', '--artifact', path.join(folder, name)])),
  );
  expect(ended.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual(names.map(() => 0));
  expect(
    readCurrent(folder)
      ?.history.map(({ artifact }) => artifact)
      .sort(),
  ).toEqual(names);
  expect(hiddenIn(folder)).toEqual([]);
}, 60_000);

/** A process that takes the lock of a place and keeps it. */
async function holderOf(place: string) {
  const lock = new URL('../../dist/router/files/lock.js', import.meta.url).href;
  const code = `const { withLock } = await import(${JSON.stringify(lock)});
    withLock(${JSON.stringify(place)}, () => { process.stdout.write('held'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const killed = () => {
    const gone = new Promise((resolve) => child.on('close', resolve));
    child.kill('SIGKILL');
    return gone;
  };
  return { killed, pid: child.pid! };
}

test('a lock says who holds it while its process runs, and is taken over when the process was killed', async () => {
  const folder = scratchFolder();
  const file = path.join(folder, 'keys.json');
  const { killed, pid } = await holderOf(file);
  expect(() => withLock(file, () => {}, 50)).toThrow(
    expect.objectContaining({
      code: 'io',
      message: expect.stringMatching(new RegExp(`Another command .* process ${pid} on `)),
    }),
  );
  await killed();
  expect(withLock(file, () => 'done', 0)).toBe('done');
  expect(hiddenIn(folder)).toEqual([]);
});

test('processes that find one abandoned lock take turns', async () => {
  const folder = scratchFolder();
  const file = path.join(folder, 'keys.json');
  const { killed } = await holderOf(file);
  await killed();
  const names = Array.from({ length: LONG_RUN ? 5 : 3 }, (_, i) => `key ${i}`);
  const ended = await Promise.all(
    names.map((name) => cli(['keys', 'create', '--name', name, '--file', file])),
  );
  expect(ended.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual(names.map(() => 0));
  expect(readKeys(file)).toHaveLength(names.length);
  expect(hiddenIn(folder)).toEqual([]);
}, 60_000);

test('plimsoll keys that is stopped, then killed: the next revocation goes through', async () => {
  const folder = scratchFolder();
  const file = path.join(folder, 'keys.json');
  const { stdout } = await cli(['keys', 'create', '--name', 'ci', '--file', file]);
  const { killed } = await holderOf(file);
  const waiting = startCli(['keys', 'revoke', stdout.slice(5, 17), '--file', file]);
  const ended = new Promise((resolve) => waiting.on('close', resolve));
  await killed();
  expect(await ended).toBe(0);
  expect(readKeys(file)[0]).toHaveProperty('revoked');
}, 60_000);

const ours = (file: string) => {
  let text = '';
  withLock(file, () => {
    text = readFileSync(path.join(path.dirname(file), '.x.lock'), 'utf8');
  });
  return JSON.parse(text);
};

test.each<[string, (lock: Record<string, unknown>) => object | string, boolean]>([
  ['an id that another process has since', (lock) => ({ ...lock, started: 1 }), true],
  ['a process of this machine that runs', (lock) => lock, false],
  ['another machine, a moment ago', (lock) => ({ ...lock, machine: '00000000' }), false],
  [
    'another machine, long ago',
    (lock) => ({ ...lock, machine: '00000000', at: '2020-01-01T00:00:00.000Z' }),
    true,
  ],
  [
    'another machine, whose clock is far ahead',
    (lock) => ({ ...lock, machine: '00000000', at: '2099-01-01T00:00:00.000Z' }),
    true,
  ],
  ['nobody, since it was cut short long ago', () => '{"token":', true],
  ['nobody, since it is empty', () => '', true],
])('a lock of %s', (_, change, free) => {
  const file = path.join(scratchFolder(), 'x');
  const lock = path.join(path.dirname(file), '.x.lock');
  const changed = change(ours(file));
  writeFileSync(lock, typeof changed === 'string' ? changed : JSON.stringify(changed));
  if (typeof changed === 'string') utimesSync(lock, new Date(0), new Date(0));
  const work = () => withLock(file, () => 'done', 0);
  if (free) expect(work()).toBe('done');
  else expect(work).toThrow(/Another command is changing/);
});

test('what commands left that were killed while they took a lock over is swept by the next one', () => {
  const folder = scratchFolder();
  const file = path.join(folder, 'x');
  const dead = JSON.stringify({ ...ours(file), started: 1 });
  const { token } = JSON.parse(dead);
  const left = [
    `.x.lock`,
    `.x.lock.${token}`,
    `.x.lock.${token}.${token}`,
    '.x.lock.0123456789ab',
    '.x.lock.unreadable-7',
  ];
  const others = ['.y.lock.0123456789ab', '.x.lock.txt', '.x.lock.0123456789ab.lock', '.x.locked'];
  for (const name of [...left, ...others]) writeFileSync(path.join(folder, name), dead);
  expect(withLock(file, () => hiddenIn(folder).sort(), 0)).toEqual(['.x.lock', ...others].sort());
  expect(hiddenIn(folder).sort()).toEqual([...others].sort());
});

test('a lock that is being made is not taken away', () => {
  const file = path.join(scratchFolder(), 'x');
  writeFileSync(path.join(path.dirname(file), '.x.lock'), '');
  expect(() => withLock(file, () => {}, 0)).toThrow(/an unknown process/);
});

test('work that throws gives the lock back', () => {
  const file = path.join(scratchFolder(), 'x');
  const fails = () =>
    withLock(file, () => {
      throw new Error('of the work');
    });
  expect(fails).toThrow('of the work');
  expect(withLock(file, () => 'done', 0)).toBe('done');
});
