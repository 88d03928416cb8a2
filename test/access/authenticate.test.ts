import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { authenticate, knownKeys } from '../../router/access/access.ts';
import { newApiKey } from '../../router/access/keys-file.ts';

const NOW = Date.parse('2026-12-01T00:00:00Z');

/** The hash by Node's own crypto, not by ours. */
function stored(text: string, rest: { expires?: string; revoked?: string } = {}) {
  const id = text.split('_')[1]!;
  const sha256 = createHash('sha256').update(text, 'utf8').digest('hex');
  return { id, name: 'x', sha256, created: '2026-11-01T00:00:00Z', ...rest };
}

const mine = newApiKey();
const old = newApiKey();
const revoked = newApiKey();
const keys = knownKeys([
  stored(mine.text),
  stored(old.text, { expires: '2026-12-01T00:00:00Z' }),
  stored(revoked.text, { revoked: '2026-11-02T00:00:00Z', expires: '2026-11-03T00:00:00Z' }),
]);
const ask = (headers: Record<string, string | string[]>, at = NOW) => authenticate(keys, headers, at);

test('as the OpenAI and the Anthropic clients send it', () => {
  const ok = { kind: 'ok', keyId: mine.id };
  expect(ask({ authorization: `Bearer ${mine.text}` })).toEqual(ok);
  expect(ask({ authorization: `bearer  ${mine.text} ` })).toEqual(ok);
  expect(ask({ 'x-api-key': mine.text })).toEqual(ok);
  expect(ask({ authorization: 'Bearer something-else', 'x-api-key': mine.text })).toEqual(ok);
});

test('nothing in place of a key is missing; anything else is wrong', () => {
  expect(ask({})).toEqual({ kind: 'missing' });
  expect(ask({ authorization: '', 'x-api-key': ' ' })).toEqual({ kind: 'missing' });
  const other = newApiKey().text;
  const sameIdOtherSecret = `plim_${mine.id}_${other.split('_').slice(2).join('_')}`;
  for (const text of [
    'x',
    'sk-123',
    other,
    sameIdOtherSecret,
    `${mine.text}x`,
    mine.text.slice(0, -1),
    'é'.repeat(60),
  ]) {
    expect(ask({ 'x-api-key': text }), text).toEqual({ kind: 'wrong' });
  }
  expect(ask({ authorization: `Basic ${btoa('a:b')}` })).toEqual({ kind: 'wrong' });
});

test('expired from the very millisecond; revoked goes before expired', () => {
  expect(ask({ 'x-api-key': old.text }, NOW - 1)).toEqual({ kind: 'ok', keyId: old.id });
  expect(ask({ 'x-api-key': old.text })).toEqual({ kind: 'expired' });
  expect(ask({ 'x-api-key': revoked.text })).toEqual({ kind: 'revoked' });
});

test('a stranger who knows an id alone does not learn that its key was revoked', () => {
  const guessed = `plim_${revoked.id}_${'A'.repeat(43)}`;
  expect(ask({ 'x-api-key': guessed })).toEqual({ kind: 'wrong' });
});

test('a key has 256 random bits, and no two are alike', () => {
  const texts = Array.from({ length: 1_000 }, () => newApiKey().text);
  expect(new Set(texts.map((text) => text.slice(18))).size).toBe(1_000);
  for (const text of texts) expect(Buffer.from(text.slice(18), 'base64url')).toHaveLength(32);
});
