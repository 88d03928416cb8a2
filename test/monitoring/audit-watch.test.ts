import { expect, test } from 'vitest';
import { type AuditOptions, createAuditWatch } from '../../router/monitoring/audit-watch.ts';

const ARTIFACT = 'a'.repeat(64);
const PROMISED = { artifact: ARTIFACT, margin: 0.05, keptShare: 0.5, threshold: 0.3 };
const OPTIONS: AuditOptions = { confidence: 0.95, onContradiction: 'warn', tightenBy: 0.1 };

function audit(loss: number, predictedLoss = 0.2, artifact = ARTIFACT) {
  return { schema_version: 1 as const, decision_id: 'dec_1', artifact, predicted_loss: predictedLoss, loss };
}

/** Feeds lost replies until the promise is contradicted. */
function contradict(watch: ReturnType<typeof createAuditWatch>, predictedLoss = 0.2): number {
  for (let n = 1; n < 1_000; n++) if (watch.observe(audit(1, predictedLoss))) return n;
  throw new Error('never contradicted');
}

test('what stays cheap may lose the margin of all requests, spread over those that stay', () => {
  expect(createAuditWatch(PROMISED, OPTIONS).status()).toEqual({
    n: 0,
    limit: 0.1,
    meanLoss: undefined,
    logEvidence: expect.closeTo(0, 12),
    contradictions: 0,
    threshold: 0.3,
  });
});

test('replies that lose nothing never contradict it, lost ones do', () => {
  const watch = createAuditWatch(PROMISED, OPTIONS);
  for (let i = 0; i < 500; i++) expect(watch.observe(audit(0))).toBe(false);
  contradict(watch);
  expect(watch.status()).toMatchObject({ contradictions: 1, threshold: 0.3 });
});

test('audits of another artifact, and of what would escalate now, do not count', () => {
  const watch = createAuditWatch(PROMISED, OPTIONS);
  for (let i = 0; i < 100; i++) {
    watch.observe(audit(1, 0.2, 'b'.repeat(64)));
    watch.observe(audit(1, 0.31));
  }
  expect(watch.status().n).toBe(0);
});

test('warn reports once', () => {
  const watch = createAuditWatch(PROMISED, OPTIONS);
  contradict(watch);
  expect(watch.observe(audit(1))).toBe(false);
});

test('tighten lowers the threshold, and begins anew with what that keeps', () => {
  const watch = createAuditWatch(PROMISED, { ...OPTIONS, onContradiction: 'tighten' });
  const first = contradict(watch);
  expect(watch.status()).toMatchObject({
    contradictions: 1,
    threshold: expect.closeTo(0.2),
    meanLoss: undefined,
  });
  expect(contradict(watch, 0.15)).toBe(first);
  expect(watch.status()).toMatchObject({ contradictions: 2, threshold: expect.closeTo(0.1) });
});

test('tighten ends with everything on the strongest candidate', () => {
  const watch = createAuditWatch(PROMISED, { ...OPTIONS, onContradiction: 'tighten', tightenBy: 1 });
  contradict(watch);
  contradict(watch, -0.8);
  expect(watch.status()).toMatchObject({ contradictions: 2, threshold: undefined });
  expect(watch.observe(audit(1, -1))).toBe(false);
});

test('strong sends everything to the strongest candidate', () => {
  const watch = createAuditWatch(PROMISED, { ...OPTIONS, onContradiction: 'strong' });
  contradict(watch);
  expect(watch.status().threshold).toBeUndefined();
});

test('a margin that nothing could exceed is never contradicted', () => {
  const watch = createAuditWatch({ ...PROMISED, margin: 0.5, keptShare: 0.1 }, OPTIONS);
  for (let i = 0; i < 200; i++) expect(watch.observe(audit(0.9))).toBe(false);
});
