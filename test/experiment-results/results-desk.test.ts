import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openResultsDesk } from '../../router/experiment-results/index.ts';
import { DECISIONS, openState, type State } from '../../router/state/index.ts';
import { defined, splitRecord } from '../dashboard/experiment-records.ts';

const START = Date.parse('2026-11-30T12:00:00Z');
const STARTED = new Date(START).toISOString();
const SPLIT = defined('smaller');
const WAIT = { timeout: 40_000, interval: 20 };

async function stateWith(records: number): Promise<State> {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-desk-'));
  const state = await openState({ kind: 'sqlite', url: path.join(folder, 'state.db'), migrate: 'auto' });
  onTestFinished(async () => {
    await state.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await append(state, 0, records);
  return state;
}

async function append({ log }: State, from: number, n: number): Promise<void> {
  const records = Array.from({ length: n }, (_, i) => splitRecord(from + i, START));
  for (let at = 0; at < n; at += 1_000) await log.append(DECISIONS, records.slice(at, at + 1_000));
}

test('a short log is there at once; what came later is read on, not sooner than allowed', async () => {
  const state = await stateWith(60);
  let nowMs = START;
  const desk = openResultsDesk(state, { waitMs: 30_000, nowMs: () => nowMs });
  const first = await desk.look(SPLIT, STARTED);
  expect(first).toMatchObject({ wholeAtMs: START, untilMs: START + 60, isReading: false, isFailing: false });
  expect(first.arms?.arms.map(({ requests }) => requests)).toEqual([30, 30]);
  await append(state, 60, 40);
  expect((await desk.look(SPLIT, STARTED)).arms?.arms[0]?.requests).toBe(30);
  nowMs += 5_000;
  const later = await desk.look(SPLIT, STARTED);
  expect(later.arms?.arms.map(({ requests }) => requests)).toEqual([50, 50]);
  expect(later.wholeAtMs).toBe(START + 5_000);
});

test('a long log holds nobody: the beginning is shown and said to be one, then all of it', async () => {
  const state = await stateWith(6_000);
  const desk = openResultsDesk(state, { waitMs: 0 });
  const first = await desk.look(SPLIT, STARTED);
  expect(first).toMatchObject({ wholeAtMs: undefined, isReading: true });
  await vi.waitFor(async () => {
    const { wholeAtMs, arms } = await desk.look(SPLIT, STARTED);
    expect(wholeAtMs).toBeDefined();
    expect(arms?.arms.map(({ requests }) => requests)).toEqual([3_000, 3_000]);
  }, WAIT);
});

test('another start is counted anew; a state that is away is said, and read on from where it was', async () => {
  const state = await stateWith(10);
  let isAway = false;
  const log: Pick<State['log'], 'read'> = {
    read: (...page) => (isAway ? Promise.reject(new Error('away')) : state.log.read(...page)),
  };
  let nowMs = START;
  const desk = openResultsDesk({ ...state, log }, { waitMs: 30_000, nowMs: () => nowMs });
  expect((await desk.look(SPLIT, STARTED)).arms?.arms[0]?.requests).toBe(5);
  const anew = await desk.look(SPLIT, new Date(START + 7).toISOString());
  expect(anew.arms?.arms.map(({ requests }) => requests)).toEqual([2, 2]);
  isAway = true;
  nowMs += 60_000;
  const failed = await desk.look(SPLIT, STARTED);
  expect(failed).toMatchObject({ isFailing: true, wholeAtMs: START });
  expect(failed.arms?.arms[0]?.requests).toBe(5);
  isAway = false;
  nowMs += 60_000;
  expect(await desk.look(SPLIT, STARTED)).toMatchObject({ isFailing: false, wholeAtMs: nowMs });
});
