import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { CHECK_INTERVAL_MS, openAccess, REMINDER_INTERVAL_MS } from '../../router/access/access.ts';
import { createKey, readKeys, revokeKey } from '../../router/access/keys-file.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-access-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const newFile = () => path.join(folder, `keys-${files++}.json`);
const now = new Date('2026-12-01T00:00:00.000Z');

test('the file holds hashes alone, and is for its owner', () => {
  const file = newFile();
  const { key, stored } = createKey(file, { name: 'ci', now, expires: new Date('2027-01-01T00:00:00Z') });
  createKey(file, { name: 'laptop', now });
  const text = readFileSync(file, 'utf8');
  expect(text).not.toContain(key);
  expect(text).not.toContain(key.slice(18));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readKeys(file)).toMatchObject([
    { id: stored.id, name: 'ci', expires: '2027-01-01T00:00:00.000Z' },
    { name: 'laptop' },
  ]);
  expect(readdirSync(folder).filter((name) => name.startsWith('.') || name.endsWith('.lock'))).toEqual([]);
});

test('revoke keeps the key on file, and the first time of revoking', () => {
  const file = newFile();
  const { stored } = createKey(file, { name: 'ci', now });
  revokeKey(file, stored.id, now);
  expect(revokeKey(file, stored.id, new Date(0)).revoked).toBe(now.toISOString());
  expect(readKeys(file)[0]).toMatchObject({ id: stored.id, revoked: now.toISOString() });
  expect(() => revokeKey(file, 'ffffffffffff', now)).toThrow(/no key with the id "ffffffffffff"/);
});

test.each([
  ['no JSON', '{', /is no JSON/],
  ['an unknown field', '{"schema_version":1,"keys":[],"more":1}', /Unrecognized key/],
  ['a later version', '{"schema_version":2,"keys":[]}', /schema_version/],
  [
    'a hash that is none',
    '{"schema_version":1,"keys":[{"id":"000000000000","name":"a","sha256":"x","created":"2026-12-01T00:00:00Z"}]}',
    /keys\.0\.sha256": must be a sha256/,
  ],
])('a file with %s is refused by name and place', (_, text, message) => {
  const file = newFile();
  writeFileSync(file, text, { mode: 0o600 });
  expect(() => readKeys(file)).toThrow(message);
  expect(() => readKeys(file)).toThrow(file);
});

test('two keys with one id, a file that others can write, no file, names that are none', () => {
  const file = newFile();
  createKey(file, { name: 'ci', now });
  const { keys } = JSON.parse(readFileSync(file, 'utf8'));
  const twice = newFile();
  writeFileSync(twice, JSON.stringify({ schema_version: 1, keys: [...keys, ...keys] }), { mode: 0o600 });
  expect(() => readKeys(twice)).toThrow(/two keys with one id/);
  chmodSync(file, 0o620);
  expect(() => readKeys(file)).toThrow(/written by others/);
  expect(() => readKeys(newFile())).toThrow(/There is no keys file .* keys create/);
  for (const name of ['', ' ', 'a\nb', 'x'.repeat(101)]) {
    expect(() => createKey(newFile(), { name, now })).toThrow(/1 to 100 characters/);
  }
});

test('the lock of a failed change is gone', () => {
  const file = newFile();
  createKey(file, { name: 'ci', now });
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, '{');
  expect(() => createKey(file, { name: 'other', now })).toThrow(/is no JSON/);
  writeFileSync(file, text);
  createKey(file, { name: 'other', now });
  expect(readKeys(file)).toHaveLength(2);
});

/** Access with a clock of the test, and what it reported about files that cannot be read. */
function opened(file: string) {
  const clock = { ms: now.getTime() };
  const reported: unknown[] = [];
  const access = openAccess({
    file,
    onFailure: (trouble) => reported.push(trouble),
    onRecovery: () => reported.push('recovered'),
    now: () => clock.ms,
  });
  const kind = (key: string) => access.authenticate({ 'x-api-key': key }).kind;
  const later = () => {
    clock.ms += CHECK_INTERVAL_MS;
  };
  return { kind, later, reported, clock, trouble: access.trouble };
}

test('a running server takes over new and revoked keys', () => {
  const file = newFile();
  const first = createKey(file, { name: 'first', now });
  const { kind, later, reported, clock } = opened(file);
  expect(kind(first.key)).toBe('ok');
  const second = createKey(file, { name: 'second', now });
  revokeKey(file, first.stored.id, now);
  expect([kind(first.key), kind(second.key)]).toEqual(['ok', 'wrong']); // not looked at yet
  later();
  expect([kind(first.key), kind(second.key)]).toEqual(['revoked', 'ok']);
  revokeKey(file, second.stored.id, now);
  clock.ms -= 86_400_000; // a clock that is set back
  expect(kind(second.key)).toBe('revoked');
  expect(reported).toEqual([]);
});

test('an invalid file keeps the old keys and is reported, again each minute; a repaired one is taken over', () => {
  const file = newFile();
  const { key } = createKey(file, { name: 'first', now });
  const { kind, later, reported, clock, trouble } = opened(file);
  const text = readFileSync(file, 'utf8');
  expect(trouble()).toBeUndefined();
  writeFileSync(file, '{"broken');
  for (let i = 0; i < 3; i++) {
    later();
    expect(kind(key)).toBe('ok');
  }
  expect(reported).toEqual([
    { error: 'PlimsollError', code: 'invalid-config', message: expect.stringContaining('is no JSON') },
  ]);
  expect(trouble()).toMatchObject({ message: expect.stringContaining('is no JSON') });
  rmSync(file);
  later();
  expect(kind(key)).toBe('ok');
  expect(reported).toHaveLength(2);
  clock.ms += REMINDER_INTERVAL_MS;
  expect(trouble()).toMatchObject({ code: 'not-found' });
  expect(reported).toHaveLength(3);
  writeFileSync(file, text.replace('first', 'renamed'), { mode: 0o600 });
  const other = createKey(file, { name: 'other', now });
  later();
  expect([kind(key), kind(other.key)]).toEqual(['ok', 'ok']);
  expect(trouble()).toBeUndefined();
  expect(reported).toEqual([...reported.slice(0, 3), 'recovered']);
});

test('a start without a file, or with an invalid one, is refused', () => {
  const broken = newFile();
  writeFileSync(broken, 'x');
  const start = (file: string) => () => openAccess({ file, onFailure: () => {} });
  expect(start(broken)).toThrow(/is no JSON/);
  expect(start(newFile())).toThrow(/There is no keys file/);
});
