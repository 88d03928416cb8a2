import { describe, expect, it } from 'vitest';
import { judgeWalk, subjectAt, walkSealed } from '../../evals/gate/index.ts';
import { walkSteps } from '../../evals/threshold/index.ts';
import { worstOf } from '../../router/artifact/index.ts';
import { DOWNGRADED, ESCALATED, KEPT_WELL, rowsOf, sealedOf, suiteOf } from './subjects.ts';

function judged(rows: ReturnType<typeof rowsOf>, from: number, fields: object = {}) {
  const sealed = sealedOf(rows, { suite: suiteOf(fields) });
  const walked = walkSealed(sealed, walkSteps(from, 0.999));
  const conditions = judgeWalk(walked, subjectAt(sealed, walked.threshold), []);
  return { walked, conditions, verdict: worstOf(conditions.map(({ verdict }) => verdict)) };
}

describe('a walk that begins where nothing holds', () => {
  const bad = rowsOf([100, KEPT_WELL], [200, DOWNGRADED], [700, ESCALATED]);

  it('proves no threshold, takes one step, and fails what is broken there', () => {
    const { walked, conditions, verdict } = judged(bad, 0.3);
    expect(walked).toMatchObject({ proved: false, threshold: 0.3 });
    expect(walked.walk).toEqual({ from: 0.3, to: 0.999, steps: 1, stopped_by: 'quality-loss' });
    expect(verdict).toBe('FAIL');
    expect(conditions.filter(({ verdict: word }) => word === 'FAIL').map(({ name }) => name)).toEqual([
      'quality-loss',
    ]);
    const once = conditions.filter(({ proof }) => proof !== 'walk');
    expect(once.map(({ name }) => name)).toEqual(['escalation-rate', 'beats-random']);
    for (const { verdict: word, note } of once) {
      expect(word).toBe('INCONCLUSIVE');
      expect(note).toBe(
        'measured where the walk begins, since no threshold was proved; INCONCLUSIVE for that reason, whatever the value',
      );
    }
  });

  it('what holds there is no PASS beside a demand that does not', () => {
    const { conditions } = judged(bad, 0.3, { max_quality_loss: 0.6, silent_downgrades: { max_rate: 0.05 } });
    const [loss, downgrades] = conditions;
    expect(downgrades).toMatchObject({ name: 'silent-downgrades', verdict: 'FAIL' });
    expect(loss).toMatchObject({
      name: 'quality-loss',
      verdict: 'INCONCLUSIVE',
      value: 0.2,
      note: expect.stringMatching(/^measured where the walk begins, since no threshold was proved/),
    });
  });

  it('from before them proves the steps at which nothing has moved yet, and no more', () => {
    const { walked } = judged(bad, -0.5);
    expect(walked).toMatchObject({ proved: true, threshold: 0.099 });
  });

  it('takes no step where even always-strong could prove nothing', () => {
    const { walked, verdict } = judged(rowsOf([20, KEPT_WELL]), -0.5);
    expect(walked.walk).toMatchObject({ steps: 0, stopped_by: 'quality-loss' });
    expect(verdict).toBe('INCONCLUSIVE');
  });
});
