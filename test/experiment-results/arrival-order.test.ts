import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  arrivalOrder,
  type ResultsFeed,
  resultsFeed,
  resultsSoFar,
} from '../../router/experiment-results/index.ts';
import {
  LONGEST_WAIT_MS,
  openArrivalReports,
  readWatermark,
  type Split,
} from '../../router/experiments/index.ts';
import type { WorkRecord } from '../../router/people/index.ts';
import { type DecisionRecord, FEEDBACK } from '../../router/records/index.ts';
import { DECISIONS, openState, type State } from '../../router/state/index.ts';

const START = Date.parse('2026-11-30T12:00:00Z');

const SPLIT: Split = {
  name: 'try',
  kind: 'split',
  profile: 'default',
  arms: [
    { name: 'now', profile: 'default', weight: 0.5 },
    { name: 'new', profile: 'next', weight: 0.5 },
  ],
  unit: 'session',
  confidence: 0.95,
};

interface Request {
  /** After the one before it. */
  readonly gapMs: number;
  readonly takesMs: number;
  readonly isNew: boolean;
  readonly isGood: boolean;
  readonly unit: number;
  readonly instance: number;
}

const request: fc.Arbitrary<Request> = fc.record({
  gapMs: fc.nat({ max: 40 }),
  takesMs: fc.oneof(fc.nat({ max: 30 }), fc.integer({ min: 1_000, max: 4_000 })),
  isNew: fc.boolean(),
  isGood: fc.boolean(),
  unit: fc.nat({ max: 40 }),
  instance: fc.nat({ max: 2 }),
});

async function memoryState(): Promise<State> {
  return openState({ kind: 'memory', migrate: 'auto' });
}

let id = 0;

function recordOf(timeMs: number, { takesMs, isNew, isGood, unit }: Omit<Request, 'gapMs' | 'instance'>) {
  return {
    id: `dec_${(7919 * id++) % 100_003}`, // neither in the order of arrival nor in that of the ends
    time: new Date(timeMs).toISOString(),
    operation: 'chat',
    reason: 'within-threshold',
    status: isGood ? 200 : 502,
    ended: 'whole',
    cost_usd: 0.01,
    duration_ms: takesMs,
    experiment: { name: 'try', arm: isNew ? 'new' : 'now', propensity: 0.5, unit: `${unit}` },
  } as DecisionRecord;
}

/** An instance whose records reach the log when it reports, and not before. */
function instanceOf({ documents, log }: State, nowMs: () => number) {
  let ended: DecisionRecord[] = [];
  const reports = openArrivalReports({
    documents,
    everyMs: 1e9,
    nowMs,
    async flush() {
      const records = ended.map((one) => ({
        id: one.id,
        timeMs: Date.parse(one.time),
        body: JSON.stringify(one),
      }));
      ended = [];
      await log.append(DECISIONS, records);
    },
  });
  return { reports, end: (one: DecisionRecord) => ended.push(one) };
}

/** What the results are of records in the order of arrival, of those before a time. */
function inOrder(records: readonly DecisionRecord[], beforeMs: number) {
  const so = resultsSoFar(SPLIT, START, 0.05);
  const arrived = records.filter(({ time }) => Date.parse(time) < beforeMs);
  for (const one of arrived.toSorted((a, b) => (a.time + a.id < b.time + b.id ? -1 : 1))) so.decision(one);
  return so.results();
}

test('however requests end: results are those of the order of arrival, up to the oldest one at work at any instance', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 60 }), async (requests) => {
      const state = await memoryState();
      let nowMs = START;
      const instances = [0, 1, 2].map(() => instanceOf(state, () => nowMs));
      await Promise.all(instances.map(({ reports }) => reports.begin()));
      const events: { atMs: number; happen: () => void }[] = [];
      const records: DecisionRecord[] = [];
      for (const [i, one] of requests.entries()) {
        const arriveMs = START + requests.slice(0, i + 1).reduce((sum, { gapMs }) => sum + gapMs, 0);
        const { reports, end } = instances[one.instance]!;
        const record = recordOf(arriveMs, one);
        records.push(record);
        let leave: (() => void) | undefined;
        events.push({ atMs: arriveMs, happen: () => (leave = reports.arrived(arriveMs)) });
        events.push({
          atMs: arriveMs + one.takesMs,
          happen() {
            end(record);
            leave!();
          },
        });
      }
      const so = resultsSoFar(SPLIT, START, 0.05);
      const feed = resultsFeed(state.log, START, so, true, {
        watermark: () => readWatermark(state.documents),
        limit: 7,
      });
      for (const [i, { atMs, happen }] of events.toSorted((a, b) => a.atMs - b.atMs).entries()) {
        nowMs = atMs;
        happen();
        await instances[i % 3]!.reports.report(); // one at a time, so that their reports are of different times
        await feed.read();
        expect(so.results()).toEqual(inOrder(records, await readWatermark(state.documents)));
      }
      for (const { reports } of instances) await reports.report();
      for (const { reports } of instances) await reports.close();
      await feed.read();
      expect(so.results()).toEqual(inOrder(records, Number.POSITIVE_INFINITY));
      expect(feed.waiting()).toBe(0);
      await state.close();
    }),
    { numRuns: 60 },
  );
});

async function oneInstance() {
  const state = await memoryState();
  onTestFinished(() => state.close());
  let nowMs = START;
  const instance = instanceOf(state, () => nowMs);
  await instance.reports.begin();
  const so = resultsSoFar(SPLIT, START, 0.05);
  const feed: ResultsFeed = resultsFeed(state.log, START, so, true, {
    watermark: () => readWatermark(state.documents),
  });
  const look = async () => {
    await instance.reports.report();
    await feed.read();
    return so.results().arms.map(({ requests }) => requests);
  };
  return { state, ...instance, so, feed, look, later: (ms: number) => (nowMs += ms) };
}

const GOOD = { takesMs: 30, isGood: true };

test('a score that comes before the turn of its request is kept for it', async () => {
  const { state, reports, end, so, feed, look, later } = await oneInstance();
  const leave = reports.arrived(START)!;
  later(10);
  const record = recordOf(START + 5, { ...GOOD, isNew: true, unit: 1 });
  end(record);
  const body = JSON.stringify({ decisionId: record.id, kind: 'score', score: 0.5 });
  await state.log.append(FEEDBACK, [{ id: record.id, timeMs: START + 9, body }]);
  expect(await look()).toEqual([0, 0]);
  expect(feed.waiting()).toBe(1);
  leave();
  expect(await look()).toEqual([0, 1]);
  expect(so.results().arms[1]!.means.score).toEqual({ n: 1, mean: 0.5 });
});

test('a request that takes longer than an hour is waited for no more, and counted when it ends', async () => {
  const { reports, end, look, later } = await oneInstance();
  reports.arrived(START + 1);
  end(recordOf(START + 2, { ...GOOD, isNew: false, unit: 1 }));
  later(LONGEST_WAIT_MS);
  expect(await look()).toEqual([0, 0]);
  later(2);
  expect(await look()).toEqual([1, 0]);
  end(recordOf(START + 1, { ...GOOD, isNew: true, unit: 2 }));
  expect(await look()).toEqual([1, 1]);
});

test('nothing is waited for that no instance works on: none reports, or one has closed', async () => {
  const { state, reports, end, feed, so, look } = await oneInstance();
  reports.arrived(START);
  end(recordOf(START, { ...GOOD, isNew: true, unit: 1 }));
  expect(await look()).toEqual([0, 0]);
  await reports.close();
  expect(await readWatermark(state.documents)).toBe(Number.POSITIVE_INFINITY);
  await feed.read();
  expect(so.results().arms[1]!.requests).toBe(1);
});

test('an instance that was killed is waited for until its last report is stale', async () => {
  const state = await memoryState();
  onTestFinished(() => state.close());
  const { documents } = state;
  const flush = async () => {};
  const killed = openArrivalReports({ documents, flush, everyMs: 1e9, ttlMs: 3_000, nowMs: () => START });
  const alive = openArrivalReports({ documents, flush, everyMs: 20, nowMs: () => START + 60_000 });
  await alive.begin();
  await killed.begin();
  expect(await readWatermark(documents)).toBe(START);
  const soon = { timeout: 40_000, interval: 100 };
  await vi.waitFor(async () => expect(await readWatermark(documents)).toBe(START + 60_000), soon);
  await alive.close();
});

test('what people have holds all that came after it until they have ended, but no longer than anybody is waited for', () => {
  const results = resultsSoFar(SPLIT, START, 0.05);
  const ordered = arrivalOrder(results);
  const quick = { takesMs: 30, isGood: true, unit: 1 };
  const polled = (atMs: number): DecisionRecord => ({
    ...recordOf(atMs, { ...quick, isNew: true }),
    status: 202,
    people_task: 'task_1',
  });
  const first = polled(START);
  const work: WorkRecord = {
    decision_id: first.id,
    task: 'task_1',
    model: 'human/desk',
    by: 'ann',
    outcome: 'answered',
    minutes: 2,
    cost_nano_usd: 0,
    waited_ms: 600_000,
  };
  ordered.decision(first);
  ordered.decision(recordOf(START + 10, { ...quick, isNew: false }));
  ordered.handOn(START + 60_000);
  expect(ordered.waiting()).toBe(2);
  ordered.people(work);
  ordered.handOn(START + 60_000);
  expect(ordered.waiting()).toBe(0);
  expect(results.results().arms.map(({ requests, means }) => [requests, means.success.n])).toEqual([
    [1, 1],
    [1, 1],
  ]);

  const second = polled(START + 70_000);
  ordered.people({ ...work, decision_id: second.id }); // read before the record of its request
  ordered.decision(second);
  ordered.handOn(START + 80_000);
  expect(ordered.waiting()).toBe(0);

  ordered.decision(polled(START + 90_000));
  ordered.handOn(START + 90_000 + LONGEST_WAIT_MS);
  expect(ordered.waiting()).toBe(1);
  ordered.handOn(START + 90_001 + LONGEST_WAIT_MS);
  expect(ordered.waiting()).toBe(0);
});
