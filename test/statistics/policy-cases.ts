import fc from 'fast-check';
import type { LadderQuality } from '../../router/statistics/input-checks.ts';
import { cases } from './metrics-oracle.ts';

/** What each candidate of a ladder reached, and where routing sent the cases. */
export interface RoutedCases {
  readonly qualityByRung: LadderQuality;
  readonly rungs: readonly number[];
}

/** The forty cases as a ladder of three: the middle candidate has the soft labels for its quality. */
export const ladder: RoutedCases = {
  qualityByRung: [cases.cheapQuality, cases.softLabels, cases.strongQuality],
  rungs: cases.scores.map((score) => (score < 0.4 ? 0 : score < 0.7 ? 1 : 2)),
};

/** The same cases as a pair. */
export const pair: RoutedCases = {
  qualityByRung: [cases.cheapQuality, cases.strongQuality],
  rungs: cases.scores.map((score) => (score < 0.5 ? 0 : 1)),
};

export function routedQuality({ qualityByRung, rungs }: RoutedCases): number[] {
  return rungs.map((rung, i) => qualityByRung[rung]![i]!);
}

const quality = fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10);

/** Small sets of routed cases on a ladder of the given height. */
export function routedCases(rungCount: number, maxLength = 12): fc.Arbitrary<RoutedCases> {
  const rung = fc.integer({ min: 0, max: rungCount - 1 });
  const row = fc.tuple(rung, fc.array(quality, { minLength: rungCount, maxLength: rungCount }));
  return fc.array(row, { minLength: 2, maxLength }).map((rows) => ({
    qualityByRung: Array.from({ length: rungCount }, (_, k) => rows.map(([, qualities]) => qualities[k]!)),
    rungs: rows.map(([chosen]) => chosen),
  }));
}
