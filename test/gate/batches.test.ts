import { describe, expect, test } from 'vitest';
import { sealedBets } from '../../evals/gate/bets.ts';
import {
  DOWNGRADED,
  ESCALATED,
  KEPT_WELL,
  promisedAt,
  type Row,
  replayOf,
  rowsOf,
  suiteOf,
} from './subjects.ts';

const GAINED: Row = { cheap: 1, strong: 0, predicted: 0.1 };
const WINNERS = rowsOf([270, KEPT_WELL], [30, GAINED]);
const LOSERS = rowsOf([246, KEPT_WELL], [54, DOWNGRADED]);

/** The demands of the promise on cases that came in batches. */
function judged(
  batches: readonly (readonly Row[])[],
  suite = suiteOf({ silent_downgrades: { max_rate: 0.2 } }),
) {
  const rows = batches.flat();
  const batchOf = batches.flatMap((batch, i) => batch.map(() => i));
  const contents = Float64Array.from(rows.keys());
  return promisedAt(rows, { suite, ...sealedBets(replayOf(rows).traits, suite, { batchOf, contents }) });
}

describe('cases that came in batches', () => {
  test('winners first and losers later: no PASS by what the winners won', () => {
    expect(judged([WINNERS]).get('quality-loss')).toMatchObject({ verdict: 'PASS' });
    const loss = judged([WINNERS, LOSERS]).get('quality-loss')!;
    expect(loss.note).toMatch(
      /^WARNING: batch 2 loses more than the first \(one-sided p < 0\.01\).*batches in the order in which they came: 300 cases with a mean loss of -0\.1000, 300 cases with a mean loss of 0\.1800$/,
    );
    const mixed = judged([[...WINNERS, ...LOSERS]]).get('quality-loss')!;
    expect(mixed.verdict).toBe('INCONCLUSIVE');
    expect(loss).toMatchObject({ verdict: 'INCONCLUSIVE', bounds: { upper: mixed.bounds.upper } });
  });

  test('the same in a slice, in groups, and in a later batch than the second', () => {
    const suite = suiteOf({
      slices: [{ name: 'all', where: { min_characters: 0 }, max_quality_loss: 0.05 }],
    });
    const slice = judged([WINNERS, WINNERS.slice(0, 100), LOSERS], suite).get('slice/all')!;
    expect(slice.note).toContain('WARNING: batch 3 loses more');
    const inPairs = [WINNERS, LOSERS].map((rows, batch) =>
      rows.map((row, i) => ({ ...row, traits: { group: `${batch}-${i >> 1}` } })),
    );
    const grouped = judged(inPairs, suiteOf({ sampling: 'groups', largest_group: 2 })).get('quality-loss')!;
    expect(grouped).toMatchObject({
      verdict: 'INCONCLUSIVE',
      note: expect.stringContaining('WARNING: batch 2'),
    });
  });

  test('alike: each is shown, and nothing is warned of', () => {
    const batch = rowsOf([290, KEPT_WELL], [2, DOWNGRADED], [100, ESCALATED]);
    const loss = judged([batch, batch.slice(50)]).get('quality-loss')!;
    expect(loss).toMatchObject({
      verdict: 'PASS',
      note: expect.stringMatching(/^batches in .*: 392 cases .*, 342 cases/),
    });
    expect(judged([batch]).get('quality-loss')!.note).toBeUndefined();
  });

  test('silent downgrades are bet on from the first batch: counting first would spend the error twice', () => {
    const batch = rowsOf([290, KEPT_WELL], [10, DOWNGRADED]);
    const [one, two] = [judged([[...batch, ...batch]]), judged([batch, batch])].map(
      (conditions) => conditions.get('silent-downgrades')!,
    );
    expect(one).toMatchObject({ method: 'betting', verdict: 'PASS' });
    expect(two).toMatchObject({ method: 'betting', verdict: 'PASS', value: one!.value });
  });

  test('silent downgrades: a first batch without any does not carry a second one that is full of them', () => {
    const suite = suiteOf({ max_quality_loss: 0.5, silent_downgrades: { max_rate: 0.1 } });
    const [good, bad] = [rowsOf([600, KEPT_WELL]), rowsOf([450, KEPT_WELL], [150, DOWNGRADED])];
    const downgrades = judged([good, bad], suite).get('silent-downgrades')!;
    const mixed = judged([[...good, ...bad]], suite).get('silent-downgrades')!;
    expect(mixed.verdict).not.toBe('PASS');
    expect(downgrades).toMatchObject({
      verdict: 'INCONCLUSIVE',
      value: 0.125,
      bounds: { upper: mixed.bounds.upper },
      note: expect.stringMatching(
        /^WARNING: batch 2 has more downgrades than the first.*600 cases with a share of 0\.0000 downgraded, 600 cases with a share of 0\.2500/,
      ),
    });
  });

  test('later batches that are each too small to show a loss show it together', () => {
    const small = rowsOf([8, KEPT_WELL], [2, DOWNGRADED]);
    const later = Array.from({ length: 20 }, () => small);
    const loss = judged([WINNERS, ...later]).get('quality-loss')!;
    expect(loss.note).toMatch(/^WARNING: the later batches together lose more than the first/);
    const mixed = judged([[WINNERS, ...later].flat()]).get('quality-loss')!;
    expect(loss.bounds.upper).toBeGreaterThanOrEqual(mixed.bounds.upper!);
    expect(loss.verdict).toBe(mixed.verdict);
    expect(judged([WINNERS, ...later.slice(0, 1)]).get('quality-loss')!.note).not.toContain('WARNING');
  });
});
