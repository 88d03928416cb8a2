import { cpSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runGate } from '../../evals/gate/index.ts';
import { looserDemands } from '../../evals/gate/replaced-pass.ts';
import { type Condition, readVerdict } from '../../router/artifact/index.ts';
import { madeUpVerdict } from '../report/made-up-verdict.ts';
import { copyOf, gateWorld, writeSuite } from './gate-world.ts';

const loss = (max: number): Condition => ({
  name: 'quality-loss',
  verdict: 'PASS',
  value: 0.01,
  bounds: { lower: 0, upper: 0.02 },
  limits: { max },
  confidence: 0.95,
  method: 'betting',
  n: 1000,
});
const recall = (min: number): Condition => ({ ...loss(1), name: 'hard-cases/recall', limits: { min } });
const passOf = (conditions: Condition[], days = 90) =>
  madeUpVerdict({ verdict: 'PASS', conditions, valid_for_days: days });
const withConfidence = (confidence: number) => {
  const pass = passOf([loss(0.03)]);
  return { ...pass, looks: { ...pass.looks, confidence } };
};

describe('looserDemands', () => {
  it.each([
    ['the same', passOf([loss(0.03)]), passOf([loss(0.03)]), []],
    ['a stricter margin and one demand more', passOf([loss(0.03)]), passOf([loss(0.02), recall(0.9)]), []],
    [
      'a wider margin',
      passOf([loss(0.03)]),
      passOf([loss(0.05)]),
      ['quality-loss at most 0.05, before 0.03'],
    ],
    [
      'a lower recall',
      passOf([recall(0.9)]),
      passOf([recall(0.7)]),
      ['hard-cases/recall at least 0.7, before 0.9'],
    ],
    [
      'a demand less',
      passOf([loss(0.03), recall(0.9)]),
      passOf([loss(0.03)]),
      ['hard-cases/recall is not demanded any more'],
    ],
    [
      'a longer validity',
      passOf([loss(0.03)], 90),
      passOf([loss(0.03)], 365),
      ['valid for 365 days, before 90'],
    ],
    [
      'a lower confidence over all looks',
      passOf([loss(0.03)]),
      withConfidence(0.5),
      ['confidence 0.5 over all looks, before 0.95'],
    ],
    ['a higher one', withConfidence(0.5), passOf([loss(0.03)]), []],
    [
      'no PASS before',
      madeUpVerdict({ verdict: 'FAIL', conditions: [loss(0.03)] }),
      passOf([loss(0.05)]),
      [],
    ],
    ['no PASS now', passOf([loss(0.03)]), madeUpVerdict({ verdict: 'FAIL', conditions: [loss(0.05)] }), []],
  ])('%s', (_, before, now, expected) => {
    expect(looserDemands(before, now)).toEqual(expected);
  });
});

describe('a PASS in the place of another', () => {
  it('that demands less says so, and how to have the other back; one that demands more does not', async () => {
    const { artifact, data } = await gateWorld();
    const folder = copyOf(artifact);
    const gate = async (changes: object) => {
      const run = await runGate({
        artifact: folder,
        suite: writeSuite(folder, changes),
        data: [data],
        write: true,
      });
      expect(run.verdict.verdict).toBe('PASS');
      return run.notes.filter((line) => /replaced/.test(line));
    };
    expect(await gate({})).toEqual([]);
    const [note, ...others] = await gate({ max_quality_loss: 0.1, silent_downgrades: undefined });
    expect(others).toEqual([]);
    expect(note).toContain(`the PASS by the suite made in ${folder} is replaced by one that demands less`);
    expect(note).toContain(
      'quality-loss at most 0.1, before 0.08; silent-downgrades is not demanded any more',
    );
    expect(await gate({ max_quality_loss: 0.099, silent_downgrades: undefined })).toEqual([]);
  }, 60_000);

  it('that is no PASS says whose place it took, and the old suite gives the PASS back', async () => {
    const { artifact, data, suite } = await gateWorld();
    const folder = copyOf(artifact);
    const strict = writeSuite(folder, { name: 'strict', max_quality_loss: 0.001 });
    const gate = (place: string, by: string) =>
      runGate({ artifact: place, suite: by, data: [data], write: true, issued: new Date('2026-01-01') });
    const first = await gate(folder, suite);
    const trial = `${folder}-trial`;
    cpSync(folder, trial, { recursive: true, filter: (from) => !from.endsWith('verdict.json') });
    const tried = await gate(trial, strict);
    expect(tried.verdict).toMatchObject({ verdict: 'INCONCLUSIVE', looks: { number: 2 } });
    expect(tried.notes.join()).not.toMatch(/replaced/);
    expect(readVerdict(folder)).toEqual(first.verdict);
    const second = await gate(folder, strict);
    const [note, ...others] = second.notes.filter((line) => line.includes('replaced'));
    expect(others).toEqual([]);
    expect(note).toContain(
      `the PASS by the suite made in ${folder}, issued 2026-01-01T00:00:00.000Z, is replaced by INCONCLUSIVE by the suite strict: servers refuse`,
    );
    expect(note).toContain(trial);
    const again = await gate(folder, suite);
    expect(again.verdict).toMatchObject({ verdict: 'PASS', looks: { number: 1 } });
    expect(again.verdict.policy).toEqual(first.verdict.policy);
  }, 60_000);

  it('that expired before says nothing: servers refuse it already', async () => {
    const { artifact, data, suite } = await gateWorld();
    const folder = copyOf(artifact);
    const request = { artifact: folder, data: [data], write: true };
    await runGate({ ...request, suite, issued: new Date('2026-01-01') });
    const strict = writeSuite(folder, { max_quality_loss: 0.001 });
    const { verdict, notes } = await runGate({ ...request, suite: strict, issued: new Date('2026-06-01') });
    expect(verdict.verdict).toBe('INCONCLUSIVE');
    expect(notes.join()).not.toMatch(/replaced/);
  }, 60_000);
});
