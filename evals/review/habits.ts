import type { Habits, Share } from '../../router/grading/index.ts';
import { clopperPearsonInterval } from '../../router/statistics/index.ts';
import { type GradeEntry, qualityOf } from './grades.ts';

const DELTA = 0.05;

/** @param grades what counts of one reviewer, one entry a screen */
export function habitsOf(grades: readonly GradeEntry[]): Habits {
  const shown = new Map(grades.filter(({ repeat }) => !repeat).map((one) => [one.case, one]));
  const again = grades.flatMap((second) => {
    const first = second.repeat ? shown.get(second.case) : undefined;
    return first === undefined ? [] : [changes(first, second)];
  });
  const best = grades.flatMap(bestPlace);
  const replies = grades.flatMap((one) => one.grades);
  return {
    changed: shareOf(again.filter(Boolean).length, again.length),
    firstBest: shareOf(best.filter((place) => place === 0).length, best.length),
    unclear: shareOf(replies.filter(({ grade }) => grade === 'unclear').length, replies.length),
  };
}

function changes(first: GradeEntry, second: GradeEntry): boolean {
  const before = new Map(first.grades.map(({ item, grade }) => [item, grade]));
  return second.grades.some(({ item, grade }) => before.get(item) !== grade);
}

/** Where the only best reply stood; empty if there is no such. */
function bestPlace({ grades }: GradeEntry): number[] {
  const qualities = grades.map(qualityOf);
  const known = qualities.filter((one) => one !== undefined);
  if (known.length < grades.length) return [];
  const most = Math.max(...known);
  return known.filter((one) => one === most).length === 1 ? [known.indexOf(most)] : [];
}

/** With the exact 95 % interval. */
export function shareOf(count: number, n: number): Share {
  return { count, n, interval: n === 0 ? undefined : clopperPearsonInterval(count, n, DELTA) };
}
