import { describe, expect, it } from 'vitest';
import { compareVerdicts, conditionChangeRows, figureChangeRows } from '../../evals/report/changes.ts';
import { failingVerdict, madeUpVerdict, passingVerdict, previousVerdict } from './made-up-verdict.ts';

describe('two verdicts side by side', () => {
  it('names what is better, new and gone', () => {
    const { verdict, conditions } = compareVerdicts(previousVerdict(), madeUpVerdict());
    expect(verdict).toEqual({ before: 'FAIL', now: 'INCONCLUSIVE' });
    const change = Object.fromEntries(conditions.map((one) => [one.name, one.change]));
    expect(change).toMatchObject({
      'quality-loss': 'better',
      'slice/law': 'new',
      'slice/poems': 'gone',
      'escalation-rate': 'same',
    });
    expect(conditions).toHaveLength(10);
  });

  it('names what is worse', () => {
    const { conditions } = compareVerdicts(passingVerdict(), failingVerdict());
    expect(conditions[0]).toMatchObject({ name: 'quality-loss', change: 'worse' });
  });

  it('warns of other sealed cases, another suite, and nothing changed', () => {
    const same = madeUpVerdict();
    expect(compareVerdicts(previousVerdict(), same).caveats.join()).toContain('others than before');
    expect(compareVerdicts(same, same).caveats).toEqual(['Artifact and threshold are the same as before.']);
    const otherSuite = madeUpVerdict({ suite: { name: 'everyday', sha256: '0'.repeat(64) } });
    expect(compareVerdicts(otherSuite, same).caveats.join()).toContain('The suite has changed');
  });

  it('shows a dash where a side knows nothing, and leaves out what neither knows', () => {
    const noCost = { cost: null };
    const changes = compareVerdicts(madeUpVerdict({}, { ...noCost, cpt80: null }), madeUpVerdict({}, noCost));
    const figures = Object.fromEntries(figureChangeRows(changes).map(([name, ...rest]) => [name, rest]));
    expect(figures['CPT80']).toEqual(['–', '55.2 %', '–']);
    expect(figures).not.toHaveProperty('cost of 1,000');
    expect(figures['APGR']).toEqual(['0.6233', '0.6233', '±0.0000']);
    const rows = conditionChangeRows(compareVerdicts(previousVerdict(), madeUpVerdict()));
    expect(rows).toContainEqual(['slice/poems', '0.0010', '–', '–', 'PASS (gone)']);
  });

  it('compares the conditions alone where the earlier evidence has another shape', () => {
    const old = { ...previousVerdict(), evidence: { curve: [1, 2] } };
    const changes = compareVerdicts(old, madeUpVerdict());
    expect(changes.figures).toEqual([]);
    expect(changes.conditions[0]!.change).toBe('better');
  });
});
