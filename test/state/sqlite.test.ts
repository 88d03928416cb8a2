import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Database from 'libsql';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { openState } from '../../router/state/index.ts';
import { itLong, LONG_RUN } from '../helpers/long-run.ts';

const run = promisify(execFile);
const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-sqlite-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let files = 0;
const newFile = () => path.join(scratch, `${files++}`, 'state.db');

async function opened(url: string) {
  const state = await openState({ kind: 'sqlite', url, migrate: 'auto' });
  onTestFinished(() => state.close());
  return state;
}

test('file and folder are for their owner alone, and what is stored is there after a restart', async () => {
  const url = newFile();
  const state = await opened(url);
  await state.log.append('decisions', [{ id: 'a', timeMs: 1, body: '{}' }]);
  const folder = path.dirname(url);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(folder)) expect(statSync(path.join(folder, name)).mode & 0o077).toBe(0);
  await state.close();
  expect(readdirSync(folder)).toEqual(['state.db']); // the log was written back
  const again = await opened(url);
  expect(await again.log.read('decisions', { afterSeq: 0, limit: 9 })).toHaveLength(1);
});

test('an entry of the ledger is soon in the file itself, where a power cut leaves it', async () => {
  const url = newFile();
  const state = await opened(url);
  await state.ledger.settle([
    { id: 'a', keyId: 'k', timeMs: 1, model: 'm', nanoUsd: 5, inputTokens: 1, outputTokens: 1 },
  ]);
  const bare = path.join(scratch, `bare-${files++}.db`);
  const inTheFile = () => {
    copyFileSync(url, bare); // without its log, as if that had not been written
    const database = new Database(bare);
    try {
      return database.prepare('select count(*) as n from plimsoll_ledger').get();
    } finally {
      database.close();
    }
  };
  await expect.poll(inTheFile).toMatchObject({ n: 1 });
});

test('a schema that is newer than the code is refused with both numbers', async () => {
  const url = newFile();
  await (await opened(url)).close();
  const database = new Database(url);
  database.exec("insert into plimsoll_migrations values (99, 'of the future', 0)");
  database.close();
  await expect(openState({ kind: 'sqlite', url, migrate: 'auto' })).rejects.toMatchObject({
    code: 'invalid-state',
    message: expect.stringMatching(
      /has schema 99, which a newer version of Plimsoll wrote; this one knows \d/,
    ),
  });
});

test.each([
  ['drop table plimsoll_windows', /plimsoll_windows/],
  ['alter table plimsoll_leases drop column fencing_token', /fencing_token/],
  ["delete from plimsoll_meta where name = 'subject_secret'", /subject_secret/],
])('a schema of this version that lacks something is refused at the start: %s', async (damage, missing) => {
  const url = newFile();
  await (await opened(url)).close();
  const database = new Database(url);
  database.exec(damage);
  database.close();
  await expect(openState({ kind: 'sqlite', url, migrate: 'auto' })).rejects.toMatchObject({
    code: 'invalid-state',
    message: expect.stringMatching(missing),
  });
});

test('with migrate: manual a new database is refused, and the message names the command', async () => {
  await expect(openState({ kind: 'sqlite', url: newFile(), migrate: 'manual' })).rejects.toMatchObject({
    code: 'invalid-state',
    message: expect.stringContaining('plimsoll -- state migrate'),
  });
});

test('tables of another program under our names are refused', async () => {
  const url = newFile();
  mkdirSync(path.dirname(url), { recursive: true });
  const database = new Database(url);
  database.exec('create table plimsoll_migrations (something text)');
  database.close();
  await expect(openState({ kind: 'sqlite', url, migrate: 'auto' })).rejects.toMatchObject({
    code: 'invalid-state',
    message: expect.stringContaining('does not fit this version'),
  });
});

test('a file that is no database is refused and left as it is', async () => {
  const url = newFile();
  mkdirSync(path.dirname(url), { recursive: true });
  writeFileSync(url, 'notes of somebody\n'.repeat(500));
  await expect(openState({ kind: 'sqlite', url, migrate: 'auto' })).rejects.toMatchObject({
    code: 'invalid-state',
    message: expect.stringContaining('is no SQLite database'),
  });
  expect(statSync(url).size).toBe(18 * 500);
});

test('a folder that cannot be made is an error of the disk that names the field', async () => {
  const file = path.join(scratch, 'a-file');
  writeFileSync(file, '');
  await expect(
    openState({ kind: 'sqlite', url: path.join(file, 'state.db'), migrate: 'auto' }),
  ).rejects.toMatchObject({ code: 'io', place: { field: 'state.url' } });
});

test('two states on one file lose nothing', async () => {
  const url = newFile();
  const states = await Promise.all([opened(url), opened(url)]);
  const records = Array.from({ length: 200 }, (_, i) => ({ id: `r${i}`, timeMs: i, body: '{}' }));
  await Promise.all(records.map((record, i) => states[i % 2]!.log.append('both', [record])));
  expect(await states[0].log.read('both', { afterSeq: 0, limit: 999 })).toHaveLength(200);
});

itLong('processes that migrate one new file at once all find it migrated', async () => {
  const url = newFile();
  const child = fileURLToPath(new URL('child.ts', import.meta.url));
  const starts = Array.from({ length: LONG_RUN ? 3 : 2 }, () =>
    run(process.execPath, ['--import', 'tsx', child, 'open', 'sqlite', url]),
  );
  for (const { stdout } of await Promise.all(starts)) expect(stdout).toBe('ready\n');
  const state = await opened(url);
  expect(await state.status()).toMatchObject({ schema: 4 });
});

test('a unit that fails takes no other of its group with it', async () => {
  const state = await opened(newFile());
  const results = await Promise.allSettled([
    state.log.append('group', [{ id: 'a', timeMs: 1, body: '{}' }]),
    // A body that is missing breaks a constraint of the table.
    state.log.append(
      'group',
      [{ id: 'b', timeMs: 1, body: null as unknown as string }].map((one) => ({ ...one, text: 'x' })),
    ),
    state.log.append('group', [{ id: 'c', timeMs: 1, body: '{}' }]),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect((await state.log.read('group', { afterSeq: 0, limit: 9 })).map(({ id }) => id)).toEqual(['a', 'c']);
});

test('after it is closed it is used no more', async () => {
  const state = await opened(newFile());
  await state.close();
  await expect(state.log.sizes()).rejects.toMatchObject({ code: 'closed' });
});

test('a file that may be read and not written is an error of the disk', async () => {
  const url = newFile();
  await (await opened(url)).close();
  chmodSync(url, 0o400);
  const error = await asOwnerWithoutPrivileges(url, () => {
    expect(statSync(url).size).toBe(readFileSync(url).length);
    return openState({ kind: 'sqlite', url, migrate: 'auto' }).catch((refusal: unknown) => refusal);
  });
  expect(error).toMatchObject({ code: 'io', message: expect.stringContaining('(EACCES)') });
});

/** Any user but root, for whom modes of files do not count. */
const NOBODY = 65_534;

/** As the owner of a file; if that is root, the file is handed to a user who has no privileges. */
async function asOwnerWithoutPrivileges<T>(file: string, work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  chmodSync(scratch, 0o711); // to be passed on the way to the file
  for (const one of [path.dirname(file), file]) chownSync(one, NOBODY, NOBODY);
  process.seteuid!(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
  }
}
