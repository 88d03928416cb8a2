import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'libsql';
import { afterAll, expect, test } from 'vitest';
import { openState, type State } from '../../router/state/index.ts';
import { itLong } from '../helpers/long-run.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-encryption-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const SECRET_TEXT = 'the patient asks about her diagnosis';
const OLD = `old:${Buffer.alloc(32, 1).toString('base64')}`;
const NEW = `new:${Buffer.alloc(32, 2).toString('base64')}`;
const key = { scope: 'k', kind: 'thread', id: 'd' };

function withKeys<T>(url: string, keys: string | undefined, work: (state: State) => Promise<T>): Promise<T> {
  const options = { kind: 'sqlite', url, migrate: 'auto' } as const;
  const opening = openState({ ...options, ...(keys && { encryptionKeysEnv: 'KEYS' }) }, { KEYS: keys });
  return opening.then((state) => work(state).finally(() => state.close()));
}

const write = async (state: State) => {
  await state.log.append('l', [{ id: 'a', timeMs: 1, body: '{}', text: SECRET_TEXT }]);
  await state.documents.put(key, { value: { text: SECRET_TEXT }, sensitive: true });
};
const textOf = async (state: State) => (await state.log.read('l', { afterSeq: 0, limit: 1 }))[0]?.text;

test('nothing that people wrote is on disk in clear, and each text names its key', async () => {
  const url = path.join(scratch, 'clear.db');
  await withKeys(url, OLD, write);
  expect(readFileSync(url).includes('diagnosis')).toBe(false);
  await withKeys(url, OLD, async (state) => {
    expect(await textOf(state)).toBe(SECRET_TEXT);
    expect((await state.status()).textsByKey).toEqual({ old: 2 });
  });
});

test('keys are rotated: old texts stay readable, reencrypt moves them, then the old key can go', async () => {
  const url = path.join(scratch, 'rotated.db');
  await withKeys(url, undefined, (state) =>
    state.log.append('l', [{ id: 'clear', timeMs: 0, body: '{}', text: 'c' }]),
  );
  await withKeys(url, OLD, write);
  await withKeys(url, `${NEW},${OLD}`, async (state) => {
    expect(await state.reencrypt()).toBe(3);
    expect(await state.reencrypt()).toBe(0);
    expect((await state.status()).textsByKey).toEqual({ new: 3 });
  });
  await withKeys(url, NEW, async (state) => {
    expect(await textOf(state)).toBe('c');
    expect(await state.documents.get(key)).toMatchObject({ value: { text: SECRET_TEXT } });
  });
});

itLong(
  'a text whose key is missing, or that was moved to another record, is an error without any of it',
  async () => {
    const url = path.join(scratch, 'moved.db');
    await withKeys(url, OLD, write);
    await expect(withKeys(url, NEW, textOf)).rejects.toMatchObject({
      code: 'invalid-state',
      message:
        'A stored text is encrypted with the key "old", which KEYS does not have. Add it behind the current one.',
    });
    const database = new Database(url);
    database.exec("update plimsoll_log set id = 'b'");
    database.close();
    await expect(withKeys(url, OLD, textOf)).rejects.toMatchObject({
      message: expect.stringMatching(/^The stored text log\/l\/b cannot be decrypted: it was changed/),
    });
  },
);

test.each([
  'old',
  'old:',
  'old:c2hvcnQ=',
  `:${Buffer.alloc(32).toString('base64')}`,
  `${OLD},${OLD}`,
  `a b:${Buffer.alloc(32).toString('base64')}`,
])('keys in another form are refused without repeating them: %s', async (keys) => {
  const opening = withKeys(path.join(scratch, 'never.db'), keys, async () => {});
  await expect(opening).rejects.toMatchObject({
    code: 'invalid-config',
    message: expect.stringMatching(/^KEYS, key \d: must be <id>:<32 bytes in base64>/),
  });
});

test('a variable that is not set is named', async () => {
  const options = { kind: 'sqlite', url: path.join(scratch, 'never.db'), migrate: 'auto' } as const;
  await expect(openState({ ...options, encryptionKeysEnv: 'KEYS' }, {})).rejects.toMatchObject({
    code: 'invalid-config',
    place: { field: 'state.encryption_keys_env' },
  });
});
