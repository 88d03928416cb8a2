import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import {
  CAPTURED,
  type CapturedRequest,
  capturedRecord,
  capturedRow,
  readCaptured,
} from '../../router/records/index.ts';
import { openState } from '../../router/state/index.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-captured-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const SECRET_WORDS = 'Where is the harbour of Antwerp?';
const captured: CapturedRequest = {
  id: 'dec_1',
  timeMs: Date.UTC(2026, 10, 29),
  keyId: '0123456789ab',
  group: 'a1b2',
  samplingProbability: 0.125,
  stratum: { task: 'support', length: 'short', language: 'en', score: '0.05' },
  request: { system: 'Be brief.', messages: [{ role: 'user', content: SECRET_WORDS }] },
  decision: {
    model: 'openai/tiny',
    score: 0.07,
    threshold: 0.1,
    reason: 'within-threshold',
    artifact: 'f'.repeat(64),
  },
  reply: {
    model: 'openai/tiny',
    text: 'On the Scheldt.',
    finishReason: 'stop',
    inputTokens: 12,
    latencyMs: 3,
  },
};

const record = (one: CapturedRequest, user?: string) => ({
  id: one.id,
  timeMs: one.timeMs,
  keyId: one.keyId,
  user,
  ...capturedRecord(one),
});

test('a captured request comes back whole; its words are encrypted, its numbers are not', async () => {
  const file = path.join(scratch, 'encrypted.db');
  const keys = { KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}` };
  const state = await openState(
    { kind: 'sqlite', url: file, migrate: 'auto', encryptionKeysEnv: 'KEYS' },
    keys,
  );
  await state.log.append(CAPTURED, [record(captured)]);
  expect(await all(readCaptured(state.log))).toEqual([captured]);
  const [stored] = await state.log.read(CAPTURED, { afterSeq: 0, limit: 1 });
  expect(stored?.body).not.toContain('harbour');
  expect(stored?.body).not.toContain('Scheldt');
  await state.close();
  expect(readFileSync(file).includes('harbour')).toBe(false);
});

test('they are read by time and key, over many pages, and erased by user', async () => {
  const state = await openState({ kind: 'sqlite', url: path.join(scratch, 'many.db'), migrate: 'auto' });
  const many = Array.from({ length: 1_203 }, (_, n) => ({ ...captured, id: `dec_${n}`, timeMs: n }));
  await state.log.append(
    CAPTURED,
    many.map((one, n) => record(n % 2 ? { ...one, keyId: 'ffffffffffff' } : one, n < 3 ? 'ann' : undefined)),
  );
  const read = async (filter: object) => (await all(readCaptured(state.log, filter))).length;
  expect(await read({})).toBe(1_203);
  expect(await read({ since: 1_000, until: 1_100 })).toBe(100);
  expect(await read({ keyId: 'ffffffffffff' })).toBe(601);
  expect(await state.log.erase({ user: 'ann' })).toBe(3);
  expect(await read({})).toBe(1_200);
  await state.close();
});

test('a row of it is one that the readers of cases take', async () => {
  const file = path.join(scratch, 'rows.jsonl');
  const row = { ...capturedRow(captured), outcomes: { cheap: { quality: 1 } } };
  writeFileSync(file, `${JSON.stringify(row)}\n`);
  const { cases } = await loadCases([file]);
  expect(cases[0]).toMatchObject({
    id: 'dec_1',
    text: SECRET_WORDS,
    group: 'a1b2',
    task: 'support',
    language: 'en',
  });
});
