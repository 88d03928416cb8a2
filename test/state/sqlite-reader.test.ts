import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'libsql';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { openState } from '../../router/state/index.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-reader-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let files = 0;

async function opened(url = path.join(scratch, `${files++}`, 'state.db')) {
  const state = await openState({ kind: 'sqlite', url, migrate: 'auto' });
  onTestFinished(() => state.close());
  return { url, state };
}

const KEY = { scope: 'k', kind: 'session', id: 'a' };

test('a document is read while another process holds the file to write', async () => {
  const { url, state } = await opened();
  await state.documents.put(KEY, { value: 1 });
  await state.documents.put({ ...KEY, id: 'long' }, { value: 'x'.repeat(100_000) });
  const other = new Database(url);
  other.exec('begin immediate');
  try {
    expect(await state.documents.get(KEY)).toMatchObject({ value: 1 });
    expect(await state.documents.get({ ...KEY, id: 'none' })).toBeUndefined();
  } finally {
    other.exec('rollback');
    other.close();
  }
  expect(await state.documents.get({ ...KEY, id: 'long' })).toMatchObject({ value: 'x'.repeat(100_000) });
});

test('what was put before is read, also if nobody waited for it, and what another process put', async () => {
  const { url, state } = await opened();
  const { state: other } = await opened(url);
  for (let i = 0; i < 50; i++) {
    const putting = state.documents.put(KEY, { value: i });
    expect(await state.documents.get(KEY)).toMatchObject({ value: i });
    await putting;
    expect(await other.documents.get(KEY)).toMatchObject({ value: i });
  }
});

test('the file has everything after the end, and its log nothing', async () => {
  const { url, state } = await opened();
  await state.documents.put(KEY, { value: 1 });
  await state.documents.get(KEY);
  await state.documents.put(KEY, { value: 2 });
  await state.close();
  const log = `${url}-wal`;
  expect(existsSync(log) ? statSync(log).size : 0).toBe(0);
  const bare = `${url}.copy`;
  copyFileSync(url, bare);
  const copy = new Database(bare);
  expect(copy.prepare('select value from plimsoll_documents where kind = ?').get(KEY.kind)).toMatchObject({
    value: '2',
  });
  copy.close();
  await expect(state.documents.get(KEY)).rejects.toMatchObject({ code: 'closed' });
});
