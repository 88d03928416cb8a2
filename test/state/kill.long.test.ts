import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { openState } from '../../router/state/index.ts';
import { freePort, startPostgres, stopPostgres } from '../../scripts/bench/database-servers.mjs';
import { HAS_POSTGRES, postgresUrl } from '../helpers/databases.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-kill-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let files = 0;

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));

interface Writer {
  readonly settled: readonly string[];
  /** Resolves when so many entries are settled. */
  reached(count: number): Promise<void>;
  kill(): Promise<void>;
}

/** A process that settles entries, each of 1 nano-dollar, until it is killed. */
function startWriter(kind: string, url: string, prefix: string): Writer {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, 'settle', kind, url, prefix], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const settled: string[] = [];
  let check = () => {};
  createInterface(child.stdout).on('line', (line) => {
    if (line !== 'ready') settled.push(line);
    check();
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  return {
    settled,
    reached: (count) =>
      new Promise((resolve) => {
        check = () => {
          if (settled.length >= count) resolve();
        };
        check();
      }),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function expectWhole(
  kind: 'sqlite' | 'postgres',
  url: string,
  writers: readonly Writer[],
): Promise<void> {
  const state = await openState({ kind, url, migrate: 'auto' });
  onTestFinished(() => state.close());
  const { requests, nanoUsd } = await state.ledger.spent('killed', '2000-01-01');
  const { ledgerEntries } = await state.status();
  const reported = writers.reduce((sum, { settled }) => sum + settled.length, 0);
  expect(requests).toBe(ledgerEntries); // the sums of days are those of the entries
  expect(nanoUsd).toBe(requests);
  expect(requests).toBeGreaterThanOrEqual(reported);
  expect(requests - reported).toBeLessThanOrEqual(5 * writers.length); // at work when it was killed
  const ids = writers
    .flatMap(({ settled }) => settled)
    .map((id) => ({
      id,
      keyId: 'killed',
      timeMs: 0,
      model: 'm',
      nanoUsd: 1,
      inputTokens: 1,
      outputTokens: 1,
    }));
  await state.ledger.settle(ids);
  expect((await state.ledger.spent('killed', '2000-01-01')).requests).toBe(requests); // each of them is there
}

test('SQLite: kill -9 loses nothing that was settled, with two processes on one file', async () => {
  const url = path.join(scratch, `${files++}`, 'state.db');
  const all: Writer[] = [];
  for (let round = 0; round < 5; round++) {
    const writers = ['a', 'b'].map((name) => startWriter('sqlite', url, `${name}${round}`));
    all.push(...writers);
    await Promise.all(writers.map((writer) => writer.reached(100 + 37 * round)));
    await Promise.all(writers.map((writer) => writer.kill()));
  }
  await expectWhole('sqlite', url, all);
});

test.skipIf(!HAS_POSTGRES)('PostgreSQL: kill -9 of the writer loses nothing that was settled', async () => {
  const url = await postgresUrl();
  const all: Writer[] = [];
  for (let round = 0; round < 3; round++) {
    const writers = ['a', 'b'].map((name) => startWriter('postgres', url, `${name}${round}`));
    all.push(...writers);
    await Promise.all(writers.map((writer) => writer.reached(200)));
    await Promise.all(writers.map((writer) => writer.kill()));
  }
  await expectWhole('postgres', url, all);
});

describe.skipIf(!HAS_POSTGRES)('a PostgreSQL server of its own', () => {
  test('that crashes while it is written to comes back without a loss', async () => {
    const folder = path.join(scratch, 'server');
    mkdirSync(folder);
    spawnSync('chmod', ['755', scratch]);
    const port = await freePort();
    await startPostgres(folder, port, { fsync: 'on' });
    onTestFinished(() => stopPostgres(folder));
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    const state = await openState({ kind: 'postgres', url, migrate: 'auto' });
    const settled = new Set<string>();
    let stopped = false;
    const writing = (async () => {
      for (let i = 0; !stopped; i++) {
        const id = `e${i}`;
        const entry = {
          id,
          keyId: 'killed',
          timeMs: Date.now(),
          model: 'm',
          nanoUsd: 1,
          inputTokens: 1,
          outputTokens: 1,
        };
        await state.ledger.settle([entry]).then(
          () => settled.add(id),
          () => {},
        );
      }
    })();
    await expect.poll(() => settled.size).toBeGreaterThan(50);
    stopPostgres(folder, 'immediate');
    await startPostgres(folder, port, { fsync: 'on' });
    const before = settled.size;
    await expect.poll(() => settled.size).toBeGreaterThan(before + 50);
    stopped = true;
    await writing;
    const { requests } = await state.ledger.spent('killed', '2000-01-01');
    expect(requests).toBeGreaterThanOrEqual(settled.size);
    await state.close();
  });
});

test('SQLite: a process that is killed while it migrates leaves all of the schema or none', async () => {
  for (let i = 0; i < 8; i++) {
    const url = path.join(scratch, `${files++}`, 'state.db');
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD, 'open', 'sqlite', url], {
      stdio: 'pipe',
    });
    const ended = new Promise((resolve) => {
      child.once('close', resolve);
    });
    // At another moment each time, from the start of the process to after the migration.
    const delayMs = 300 + 150 * i + (createHash('sha256').update(url).digest()[0]! % 100);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    child.kill('SIGKILL');
    await ended;
    const state = await openState({ kind: 'sqlite', url, migrate: 'auto' });
    await state.log.append('after', [{ id: 'a', timeMs: 1, body: '{}' }]);
    expect(await state.status()).toMatchObject({ schema: 4, streams: [{ records: 1 }] });
    await state.close();
  }
});

test.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
  'SQLite: a full disk is an error that names the file; what was stored stays, and it goes on when there is room',
  async () => {
    const folder = path.join(scratch, 'small');
    mkdirSync(folder);
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]).status).toBe(0);
    onTestFinished(() => void spawnSync('umount', ['-l', folder]));
    const url = path.join(folder, 'state.db');
    const state = await openState({ kind: 'sqlite', url, migrate: 'auto' });
    const body = JSON.stringify({ text: 'x'.repeat(10_000) });
    let stored = 0;
    const fill = async () => {
      for (let i = 0; i < 1_000; i++) {
        await state.log.append('full', [{ id: `${i}`, timeMs: i, body }]);
        stored++;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'io', message: expect.stringContaining(url) });
    expect(state.trouble()).toContain('disk is full');
    expect(await state.log.read('full', { afterSeq: 0, limit: 9_999 })).toHaveLength(stored);
    spawnSync('mount', ['-o', 'remount,size=8m', folder]);
    await state.log.append('full', [{ id: 'later', timeMs: 1, body }]);
    expect(state.trouble()).toBeUndefined();
    await state.close();
  },
);
