import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { TokenCounts } from '../../router/catalog/index.ts';
import { decisionLogSchema } from '../../router/config/server-schema.ts';
import type { SafeError } from '../../router/errors.ts';
import { type DecisionLogOptions, openDecisionLog } from '../../router/records/decision-log.ts';
import { decisionRecordSchema } from '../../router/records/decision-record.ts';
import { CHEAP, facts, refusedFacts, STRONG, withPlanted } from './facts.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-log-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let folders = 0;
async function opened(changes: Partial<DecisionLogOptions> = {}, maxWaitingBytes?: number) {
  const folder = path.join(scratch, `${folders++}`);
  mkdirSync(folder);
  const file = path.join(folder, 'decisions.jsonl');
  const failures: SafeError[] = [];
  const open = () =>
    openDecisionLog({
      options: { ...decisionLogSchema.parse({ file }), ...changes },
      onFailure: (trouble) => failures.push(trouble),
      ...(maxWaitingBytes !== undefined && { maxWaitingBytes }),
    });
  const log = await open();
  return { log, file, folder, failures, open, lines: () => linesOf(file) };
}

function linesOf(file: string) {
  const text = readFileSync(file, 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => decisionRecordSchema.parse(JSON.parse(line)));
}

test('a record has all that is known, and nothing that is not', async () => {
  const { log, file, lines } = await opened();
  log.write(facts());
  log.write(refusedFacts());
  await log.close();
  const [served, refused] = lines();
  expect(served).toEqual({
    schema_version: 1,
    time: '2026-12-01T12:00:00.000Z',
    id: 'dec_1',
    dialect: 'openai',
    operation: 'chat',
    stream: true,
    requested_model: 'auto',
    selected: CHEAP.name,
    served: STRONG.name,
    reason: 'within-threshold',
    policy: { name: 'default', version: 3, sha256: 'f'.repeat(64) },
    verdict: 'PASS',
    scores: { cheap: 0.5, strong: 0.75 },
    predicted_loss: 0.25,
    threshold: 0.3,
    attempts: [
      { model: CHEAP.name, kind: 'first', outcome: 'overloaded', status: 503, ms: 12.346 },
      { model: CHEAP.name, kind: 'retry', outcome: 'timeout', ms: 100, waited_ms: 20 },
      { model: 'other/small', kind: 'fallback', outcome: 'skipped-price', ms: 0 },
      { model: STRONG.name, kind: 'fallback', outcome: 'answer', status: 200, ms: 30 },
    ],
    tags: ['team-a'],
    dropped: ['user', 'messages.0.name'],
    status: 200,
    ended: 'whole',
    usage: { input_tokens: 1_000, output_tokens: 500, cached_input_tokens: 100 },
    cost_usd: 0.03,
    baseline_cost_usd: 0.03,
    random_cost_usd: 0.016,
    overhead_ms: 0.4,
    upstream_ms: 900,
    first_byte_ms: 200,
    duration_ms: 901,
    key_id: '0123456789ab',
  });
  expect(Object.keys(refused!).sort()).toEqual(
    'attempts dialect duration_ms ended id operation overhead_ms reason requested_model schema_version status stream time'.split(
      ' ',
    ),
  );
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(log.counts()).toEqual({ written: 2, dropped: 0 });
});

test('what was written to a cache stands in the usage', async () => {
  const { log, lines } = await opened();
  const usage: TokenCounts = { inputTokens: 1_000, outputTokens: 500, cacheWriteInputTokens: 300 };
  log.write(facts({ usage }));
  await log.close();
  expect(lines()[0]!.usage).toEqual({
    input_tokens: 1_000,
    output_tokens: 500,
    cache_write_input_tokens: 300,
  });
});

test('the prompt stands in it only where include_prompt says so', async () => {
  const without = await opened();
  const withPrompt = await opened({ includePrompt: true });
  for (const { log } of [without, withPrompt]) {
    log.write(facts());
    await log.close();
  }
  expect(readFileSync(without.file, 'utf8')).not.toMatch(/Ada|prompt/);
  expect(withPrompt.lines()[0]).toMatchObject({ prompt: 'What did Ada write to Charles?' });
});

test('planted secrets do not get in, and a requested model of any length is cut', async () => {
  const { log, file, lines } = await opened();
  log.write(withPlanted('sk-planted-0123456789'));
  log.write(facts({ requestedModel: 'x'.repeat(10_000) }));
  await log.close();
  expect(readFileSync(file, 'utf8')).not.toContain('planted');
  expect(lines()[1]!.requested_model).toHaveLength(200);
});

test('a second start appends, and ends the line that a crash left half', async () => {
  const { log, file, open } = await opened();
  log.write(facts({ id: 'first' }));
  await log.close();
  writeFileSync(file, `${readFileSync(file, 'utf8')}{"schema_version":1,"ti`);
  const again = await open();
  again.write(facts({ id: 'second' }));
  await again.close();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect([JSON.parse(lines[0]!).id, JSON.parse(lines[2]!).id]).toEqual(['first', 'second']);
});

test('rotation: no file past max_bytes, keep files, no record lost or cut among those that are kept', async () => {
  const { log, folder, file } = await opened({ maxBytes: 4_096, keep: 3 });
  const all = Array.from({ length: 60 }, (_, i) => `id-${i}`);
  for (const [i, id] of all.entries()) {
    log.write(facts({ id }));
    if (i % 7 === 0) await log.flush(); // single lines as well as batches over several files
  }
  await log.close();
  expect(readdirSync(folder).sort()).toEqual(
    ['1', '2', '3'].map((n) => `decisions.jsonl.${n}`).toSpliced(0, 0, 'decisions.jsonl'),
  );
  const files = [`${file}.3`, `${file}.2`, `${file}.1`, file];
  for (const name of files) expect(statSync(name).size).toBeLessThanOrEqual(4_096);
  const kept = files.flatMap((name) => linesOf(name).map(({ id }) => id));
  expect(kept.length).toBeGreaterThan(10);
  expect(kept).toEqual(all.slice(-kept.length));
  expect(log.counts()).toEqual({ written: 60, dropped: 0 });
});

test('keep 0 keeps one file; a line longer than max_bytes stands alone', async () => {
  const { log, folder, lines } = await opened({ maxBytes: 4_096, keep: 0, includePrompt: true });
  log.write(facts({ id: 'short' }));
  log.write(facts({ id: 'long', prompt: 'é'.repeat(5_000) }));
  await log.flush();
  expect(lines().map(({ id }) => id)).toEqual(['long']);
  log.write(facts({ id: 'after' }));
  await log.close();
  expect(lines().map(({ id }) => id)).toEqual(['after']);
  expect(readdirSync(folder)).toEqual(['decisions.jsonl']);
});

test('what does not fit in memory is dropped and counted; later records are written', async () => {
  const { log, lines } = await opened({}, 3_000);
  for (let i = 0; i < 100; i++) log.write(facts({ id: `${i}` }));
  const { dropped } = log.counts();
  expect(dropped).toBeGreaterThan(90);
  await log.flush();
  expect(log.counts()).toEqual({ written: 100 - dropped, dropped });
  log.write(facts({ id: 'later' }));
  await log.close();
  expect(lines().map(({ id }) => id)).toEqual([
    ...Array.from({ length: 100 - dropped }, (_, i) => `${i}`),
    'later',
  ]);
  log.write(facts());
  expect(log.counts().dropped).toBe(dropped + 1);
  await log.close(); // twice is safe
});

test('a disk that refuses is told once, drops, and is taken up again when it is well', async () => {
  const { log, folder, file, failures, lines } = await opened({ maxBytes: 4_096, keep: 1 });
  for (let i = 0; i < 3; i++) log.write(facts({ id: `${i}` }));
  await log.flush();
  rmSync(folder, { recursive: true });
  for (let i = 0; i < 12; i++) {
    log.write(facts({ id: 'lost' }));
    await log.flush();
  }
  expect(log.counts().dropped).toBeGreaterThan(0);
  expect(failures).toEqual([{ error: 'PlimsollError', code: 'io', message: expect.stringContaining(file) }]);
  mkdirSync(folder);
  log.write(facts({ id: 'again' }));
  await log.close();
  expect(lines().map(({ id }) => id)).toEqual(['again']);
});

test('a place that cannot be written is refused at the start, by name', async () => {
  const options = decisionLogSchema.parse({ file: path.join(scratch, 'no/such/folder/d.jsonl') });
  await expect(openDecisionLog({ options, onFailure: () => {} })).rejects.toThrow(
    /Cannot append to .*no\/such\/folder.*ENOENT/,
  );
  const folder = decisionLogSchema.parse({ file: scratch });
  await expect(openDecisionLog({ options: folder, onFailure: () => {} })).rejects.toThrow(/EISDIR/);
});

test('the configuration refuses what it does not know', () => {
  for (const wrong of [
    {},
    { file: '' },
    { file: 'a', max_bytes: 10 },
    { file: 'a', prompt: true },
    { file: 'a', keep: -1 },
  ]) {
    expect(decisionLogSchema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  }
});
