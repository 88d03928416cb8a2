import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Case } from '../../evals/cases/index.ts';
import { heldOutCases } from '../../evals/gate/index.ts';
import { type GateRun, runGate } from '../../evals/gate/run-gate.ts';
import { readArtifact, standingInFolder, type Verdict } from '../../router/artifact/index.ts';
import { CHEAP, gateWorld, writeCaseFile, writeSuite } from './gate-world.ts';

/*
 * What people tried, so that a policy passes that should not, and what the gate makes of it. Each goes through the real gate, after an
 * honest first look that is on record.
 *
 * | attempt                                       | noticed, refused, or without effect                                     |
 * | --------------------------------------------- | ----------------------------------------------------------------------- |
 * | another seed in the suite                     | without effect: the same look; a note says so                           |
 * | a wider margin after the first look           | noticed: the next look, a quarter of the error                          |
 * | confidence .5, valid for 36,500 days          | noticed: the next look; refused by a server with floors                 |
 * | each row six times under other keys           | noticed: the next look, a note; one unit in `sampling: groups`          |
 * | six times in other groups                     | the same                                                                |
 * | a number or a tag at an end of six copies     | the same                                                                |
 * | a number in the middle, a word more, rewording | a note of numbers alone; else NOT noticed: docs/CI.md says so          |
 * | a third of the losses graded anew             | noticed: the next look                                                  |
 * | a third of the losses without an outcome      | noticed: the next look; and each counts as a loss                       |
 * | one sealed row dropped                        | noticed: the next look                                                  |
 * | the sealed rows as a file of their own        | without effect: the same look, the same threshold                       |
 * | the record of looks deleted, cut, edited      | refused (also run-gate.test.ts, looks.test.ts)                          |
 * | a sealed part drawn again and again           | noticed: every overlap is the next look, together at most 1 - confidence |
 * | cases appended until a PASS                   | one look, on the same bets (run-gate.test.ts, looks.test.ts)             |
 * | an outcome off the ladder, another order, ids | without effect (looks.test.ts)                                          |
 *
 * How often a bad policy passes in each of these is simulated by bench:coverage (docs/EXPERIMENTS.md).
 */

const ISSUED = new Date('2025-06-01T00:00:00Z');
const LEAN = { flip_rate: undefined, slices: undefined, max_ece: undefined, silent_downgrades: undefined };

let home: string;
/** A store with an artifact and an honest first look. */
let looked: string;
let honest: Verdict;
let sealed: readonly Case[];

beforeAll(async () => {
  const world = await gateWorld();
  home = world.home;
  sealed = heldOutCases(world.cases, readArtifact(world.artifact)).heldOut;
  looked = mkdtempSync(path.join(home, 'looked-'));
  cpSync(world.artifact, path.join(looked, 'made'), { recursive: true });
  honest = (await gate(looked, { data: world.data })).verdict;
}, 120_000);

function gate(store: string, { suite = {}, data }: { suite?: object; data: string }): Promise<GateRun> {
  return runGate({
    artifact: path.join(store, 'made'),
    suite: writeSuite(home, { ...LEAN, ...suite }),
    data: [data],
    issued: ISSUED,
    write: true,
  });
}

/** The store after the honest look, for one attempt. */
function copyOfLooked(): string {
  const store = mkdtempSync(path.join(home, 'attempt-'));
  cpSync(looked, store, { recursive: true });
  return store;
}

/** A store without any look. */
function fresh(): string {
  const store = copyOfLooked();
  rmSync(path.join(store, 'looks.jsonl'));
  rmSync(path.join(store, 'made', 'verdict.json'));
  return store;
}

const attempt = (
  suite: object,
  cases: readonly Case[] = sealed,
  changes: (i: number) => object = () => ({}),
) => gate(copyOfLooked(), { suite, data: fileOf(cases, changes) });

let files = 0;

function fileOf(cases: readonly Case[], changes: (i: number) => object = () => ({})): string {
  const file = writeCaseFile(path.join(home, `attempt-${files++}.jsonl`), cases);
  const rows = cases.map(({ id, text, task, language, outcomes }, i) => ({
    id,
    prompt: text,
    task,
    language,
    outcomes: Object.fromEntries(
      [...outcomes].map(([model, { quality, costUsd }]) => [model, { quality, cost_usd: costUsd }]),
    ),
    ...changes(i),
  }));
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return file;
}

const lossOf = ({ verdict }: Pick<GateRun, 'verdict'>) =>
  verdict.conditions.find(({ name }) => name === 'quality-loss')!;

function expectNextLook({ looks }: Verdict, number = 2): void {
  expect(looks.number).toBe(number);
  expect(looks.earlier).toHaveLength(number - 1);
  expect(looks.delta).toBeCloseTo(honest.looks.delta / number ** 2, 12);
}

const isLost = ({ outcomes }: Case) => outcomes.get(CHEAP)!.quality === 0;
const withCheap = (one: Case, outcome: { quality: number } | undefined): Case => {
  const outcomes = new Map(one.outcomes);
  if (outcome === undefined) outcomes.delete(CHEAP);
  else outcomes.set(CHEAP, { ...outcomes.get(CHEAP)!, ...outcome });
  return { ...one, outcomes };
};
/** Six rows of each case. */
const sixfold = (changes: (one: Case, copy: number) => Partial<Case>) =>
  sealed.flatMap((one) =>
    Array.from({ length: 6 }, (_, copy) => ({
      ...one,
      id: `${one.id}-${copy}`,
      ...changes(one, copy),
    })),
  );

describe('without effect', () => {
  it('another seed in the suite', async () => {
    const { verdict, notes } = await attempt({ seed: 8 });
    expect(verdict.looks).toEqual(honest.looks);
    expect(verdict.policy).toEqual(honest.policy);
    expect(notes.join('\n')).toMatch(/seed/);
  }, 60_000);

  it('the sealed rows as a file of their own', async () => {
    const { verdict } = await attempt({});
    expect(verdict.looks).toEqual(honest.looks);
    expect(verdict.policy).toEqual(honest.policy);
    expect(lossOf({ verdict })).toEqual(lossOf({ verdict: honest }));
  }, 60_000);
});

describe('noticed: the next look', () => {
  it('a wider margin after the first look', async () => {
    expectNextLook((await attempt({ max_quality_loss: 0.12 })).verdict);
  }, 60_000);

  it('a lower confidence for a hundred years: its error is a quarter of what it asks, and floors refuse it', async () => {
    const store = copyOfLooked();
    const { verdict } = await gate(store, {
      suite: { confidence: 0.5, valid_for_days: 36_500 },
      data: fileOf(sealed),
    });
    expect(verdict.looks.number).toBe(2);
    expect(verdict.looks.delta).toBeCloseTo((10 * honest.looks.delta) / 4, 12);
    const artifact = readArtifact(path.join(store, 'made'));
    const later = (days: number) => new Date(ISSUED.getTime() + days * 86_400_000);
    expect(standingInFolder(artifact, later(1)).kind).toBe('pass');
    expect(standingInFolder(artifact, later(1), { minConfidence: 0.95 }).kind).toBe('none');
    expect(standingInFolder(artifact, later(100), {}).kind).toBe('pass');
    expect(standingInFolder(artifact, later(100), { maxValidForDays: 90 }).kind).not.toBe('pass');
  }, 60_000);

  it('a third of the losses graded anew', async () => {
    let losses = 0;
    const graded = sealed.map((one) =>
      isLost(one) && losses++ % 3 === 0 ? withCheap(one, { quality: 1 }) : one,
    );
    expectNextLook((await attempt({}, graded)).verdict);
  }, 60_000);

  it('a third of the losses without an outcome, each of which counts as a loss', async () => {
    let losses = 0;
    const missing = sealed.map((one) =>
      isLost(one) && losses++ % 3 === 0 ? withCheap(one, undefined) : one,
    );
    const { verdict } = await attempt({}, missing);
    expectNextLook(verdict);
    expect(verdict.sealed.n).toBe(honest.sealed.n);
    expect(verdict.policy.threshold).toBeLessThanOrEqual(honest.policy.threshold);
  }, 60_000);

  it('one sealed row dropped', async () => {
    expectNextLook((await attempt({}, sealed.slice(1))).verdict);
  }, 60_000);

  it.each([
    ['keys', (i: number) => ({ key: `other-${i}` })],
    ['groups', (i: number) => ({ group: `other-${i}` })],
  ])(
    'each row six times under other %s: a note says so, and in groups they are one bet',
    async (_, changes) => {
      const rows = sixfold(() => ({}));
      const { verdict } = await attempt({}, rows, changes);
      expectNextLook(verdict);
      expect(lossOf({ verdict }).note).toMatch(/cases repeat the text of another/);
      const grouped = await gate(fresh(), {
        suite: { sampling: 'groups', largest_group: 6 },
        data: fileOf(rows, (i) => ({ group: `row-${i}`, ...changes(i) })),
      });
      expect(grouped.verdict.sealed.units).toBe(honest.sealed.n);
      expect(grouped.verdict.policy.threshold).toBeLessThanOrEqual(honest.policy.threshold);
    },
    120_000,
  );
});

describe('a sealed part drawn again and again', () => {
  it('each draw is the next look; together they spend at most 1 - confidence', async () => {
    const store = fresh();
    const deltas: number[] = [];
    for (let draw = 1; draw <= 4; draw++) {
      const part = sealed.filter((_, i) => (i * 7919 + draw * 104_729) % 5 < 3);
      const { verdict } = await gate(store, { data: fileOf(part) });
      expectNextLook(verdict, draw);
      deltas.push(verdict.looks.delta);
    }
    expect(deltas.reduce((sum, delta) => sum + delta, 0)).toBeLessThan(0.05);
  }, 120_000);
});

describe('refused', () => {
  it('the record of looks deleted', async () => {
    const store = copyOfLooked();
    rmSync(path.join(store, 'looks.jsonl'));
    await expect(gate(store, { data: fileOf(sealed) })).rejects.toMatchObject({ code: 'invalid-artifact' });
  }, 60_000);
});

describe('a number appended to each of six copies', () => {
  it('noticed: the next look, a note; one unit in groups, whatever key and group they have', async () => {
    const rows = sixfold(({ text }, copy) => ({ text: `${text} (request ${copy})` }));
    const { verdict } = await attempt({}, rows);
    expectNextLook(verdict);
    expect(lossOf({ verdict }).note).toContain(
      `${5 * honest.sealed.n} of ${6 * honest.sealed.n} cases differ from another only in case, white space, punctuation or a number at either end`,
    );
    const grouped = await gate(fresh(), {
      suite: { sampling: 'groups', largest_group: 6 },
      data: fileOf(rows, (i) => ({ group: `user-${i}`, key: `key-${i}` })),
    });
    expect(grouped.verdict.sealed.units).toBe(honest.sealed.n);
  }, 120_000);
});
