import { describe, expect, it } from 'vitest';
import { runGate } from '../../evals/gate/index.ts';
import { looserDemands } from '../../evals/gate/looser-demands.ts';
import type { Condition } from '../../router/artifact/index.ts';
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
    const gate = async (changes: object, verdict = 'PASS') => {
      const run = await runGate({
        artifact: folder,
        suite: writeSuite(folder, changes),
        data: [data],
        write: true,
      });
      expect(run.verdict.verdict).toBe(verdict);
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
    expect(await gate({ max_quality_loss: 0.001 }, 'INCONCLUSIVE')).toEqual([
      expect.stringMatching(/^Warning: the PASS by the suite made in .* is replaced by INCONCLUSIVE: /),
    ]);
  }, 60_000);
});
