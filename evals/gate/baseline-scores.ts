import type { Case } from '../cases/index.ts';
import type { PairedOutcomes } from './assessment.ts';

/** The longer the prompt, the sooner it is escalated: what people try before they train anything. */
export function promptLengthScores(cases: readonly Case[]): Float64Array {
  return Float64Array.from(cases, ({ text }) => text.length);
}

/** Escalates first what gains most. No router can rank better; it needs both answers. */
export function oracleScores({ cheapQuality, strongQuality }: PairedOutcomes): Float64Array {
  return strongQuality.map((quality, i) => quality - cheapQuality[i]!);
}

/**
 * The mean gain of a case's task over the cases of the other folds: a router that knows the task's name and nothing of the text.
 * A task that the other folds do not have gets the mean gain of all of them. Undefined where no case names a task.
 */
export function taskLabelScores(
  cases: readonly Pick<Case, 'task'>[],
  outcomes: PairedOutcomes,
  folds: Int32Array,
): Float64Array | undefined {
  if (!cases.some(({ task }) => task !== undefined)) return undefined;
  const gains = oracleScores(outcomes);
  const foldCount = folds.reduce((most, fold) => Math.max(most, fold), 0) + 1;
  const scores = new Float64Array(cases.length);
  for (let fold = 0; fold < foldCount; fold++) {
    const meanOf = meanGains(cases, gains, (row) => folds[row] !== fold);
    cases.forEach(({ task }, row) => {
      if (folds[row] === fold) scores[row] = meanOf(task);
    });
  }
  return scores;
}

function meanGains(
  cases: readonly Pick<Case, 'task'>[],
  gains: Float64Array,
  counts: (row: number) => boolean,
): (task: string | undefined) => number {
  const sums = new Map<string | undefined, { total: number; n: number }>();
  const all = { total: 0, n: 0 };
  cases.forEach(({ task }, row) => {
    if (!counts(row)) return;
    const ofTask = sums.get(task) ?? { total: 0, n: 0 };
    sums.set(task, { total: ofTask.total + gains[row]!, n: ofTask.n + 1 });
    all.total += gains[row]!;
    all.n++;
  });
  return (task) => {
    const { total, n } = sums.get(task) ?? all;
    return total / n;
  };
}
