import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findAudits } from '../../evals/labelling/index.ts';
import { AUDITS } from '../../router/monitoring/index.ts';
import { openState } from '../../router/state/index.ts';
import { cli, jsonOf, stdoutOf } from '../cli/run-cli.ts';
import { itLong } from '../helpers/long-run.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-audits-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let made = 0;

const CANDIDATES = [
  { name: 'cheap', model: 'p/small' },
  { name: 'strong', model: 'p/large' },
];
const ARTIFACT = 'a'.repeat(64);

function row(id: string, changes: object = {}, qualities: readonly (number | null)[] = [0.25, 1]) {
  return {
    id,
    decision: { model: 'p/small', score: 0.1, reason: 'within-threshold', artifact: ARTIFACT },
    sampling_probability: 0.02,
    prompt: 'What is it?',
    outcomes: { cheap: { quality: qualities[0] }, strong: { quality: qualities[1] } },
    ...changes,
  };
}

function fileOf(rows: readonly object[]): string {
  const file = path.join(scratch, `${made++}.jsonl`);
  writeFileSync(file, rows.map((one) => `${JSON.stringify(one)}\n`).join(''));
  return file;
}

test('a request that stayed cheap is an audit; what went up, was not routed or has no grade is counted', async () => {
  const file = fileOf([
    row('dec_1'),
    row('dec_2', { decision: { model: 'p/large', score: 0.6, artifact: ARTIFACT } }),
    row('dec_3', { decision: { model: 'p/small', reason: 'requested' } }),
    row('dec_4', { decision: { model: 'p/other', score: 0, artifact: ARTIFACT } }),
    row('dec_5', {}, [null, 1]),
    row('dec_6', {}, [1, 0.5]),
  ]);
  const { audits, left } = await findAudits([file], CANDIDATES);
  expect(audits).toEqual([
    { schema_version: 1, decision_id: 'dec_1', artifact: ARTIFACT, predicted_loss: 0.1, loss: 0.75 },
    { schema_version: 1, decision_id: 'dec_6', artifact: ARTIFACT, predicted_loss: 0.1, loss: -0.5 },
  ]);
  expect(left).toEqual({ escalated: 1, undecided: 2, ungraded: 1, thinned: 0, rejected: 0 });
});

test('requests that were drawn more often are thinned to the others, the same ones each time', async () => {
  const rows = Array.from({ length: 400 }, (_, i) =>
    row(`dec_${i}`, { sampling_probability: i < 200 ? 0.1 : 0.4 }),
  );
  const file = fileOf(rows);
  const { audits, left } = await findAudits([file], CANDIDATES);
  const often = audits.filter(({ decision_id }) => Number(decision_id.slice(4)) >= 200);
  expect(audits.length - often.length).toBe(200);
  expect(often.length).toBeGreaterThan(30);
  expect(often.length).toBeLessThan(70);
  expect(left.thinned).toBe(200 - often.length);
  expect(await findAudits([file], CANDIDATES)).toEqual({ audits, left, notes: [] });
});

itLong('more rows than a call has room for', async () => {
  const rows = Array.from({ length: 150_000 }, (_, i) => row(`dec_${i}`));
  expect((await findAudits([fileOf(rows)], CANDIDATES)).audits).toHaveLength(150_000);
});

test('rows of no captured request are refused, by line and field, without their words', async () => {
  const file = fileOf([row('dec_1'), { id: 'x', prompt: 'a secret', outcomes: {} }]);
  const refusal = findAudits([file], CANDIDATES);
  await expect(refusal).rejects.toMatchObject({ code: 'invalid-input' });
  await expect(refusal).rejects.toThrow(/2.*decision/s);
  await expect(refusal).rejects.not.toThrow(/secret/);
});

test('the command records them once, however often it runs', async () => {
  const state = { kind: 'sqlite' as const, url: path.join(scratch, 'state.db') };
  await (await openState({ ...state, migrate: 'auto' })).close();
  const config = path.join(scratch, 'plimsoll.config.yaml');
  writeFileSync(config, JSON.stringify({ state, ladder: { cheap: 'p/small', strong: 'p/large' } }));
  const outcomes = { 'p/small': { quality: 0.25 }, 'p/large': { quality: 1 } }; // as `label --models cheap,strong` names them
  const args = [
    'audit',
    '--cases',
    fileOf(['dec_1', 'dec_2'].map((id) => row(id, { outcomes }))),
    '--models',
    'cheap,strong',
  ];
  const dry = await cli([...args, '--config', config, '--dry-run']);
  expect(stdoutOf(dry)).toContain(
    '2 audits would be recorded; these requests, which stayed cheap, lose 0.750 on average',
  );
  for (let i = 0; i < 2; i++) {
    const recorded = await cli([...args, '--config', config, '--json']);
    expect(jsonOf(recorded)).toMatchObject({ audits: 2, mean_loss: 0.75, left_out: { escalated: 0 } });
  }
  const open = await openState({ ...state, migrate: 'manual' });
  const records = await open.log.read(AUDITS, { afterSeq: 0, limit: 10 });
  await open.close();
  expect(records.map(({ id }) => id)).toEqual(['dec_1', 'dec_2']);
});
