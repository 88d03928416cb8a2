import type { Subject } from '../../evals/gate/index.ts';
import type { Replay, Traits } from '../../evals/gate/replay.ts';
import { type Suite, suiteSchema } from '../../evals/gate/suite.ts';
import { rungsAt } from '../../evals/threshold/index.ts';
import { shuffledOrder } from '../../router/statistics/index.ts';

/** One held-out case: what each candidate reached, and the predicted loss of the cheap one. */
export interface Row {
  readonly cheap: number;
  readonly strong: number;
  readonly predicted: number;
  readonly traits?: Partial<Traits>;
}

export const SUITE: Suite = suiteSchema.parse({ name: 'made', max_quality_loss: 0.05 });

/** A subject with a threshold of .5: what predicts less goes to the cheap one. */
export function subjectOf(rows: readonly Row[], changes: Partial<Subject> = {}): Subject {
  const heldOut = replayOf(rows);
  return {
    suite: SUITE,
    candidates: ['cheap', 'strong'],
    threshold: 0.5,
    heldOut,
    rungs: rungsAt(heldOut.probabilities, 0.5),
    order: shuffledOrder(rows.length, 1),
    flips: [],
    ...changes,
  };
}

export function suiteOf(fields: object): Suite {
  return suiteSchema.parse({ name: 'made', max_quality_loss: 0.05, ...fields });
}

export function replayOf(rows: readonly Row[]): Replay {
  const column = (of: (row: Row) => number) => Float64Array.from(rows, of);
  return {
    n: rows.length,
    traits: rows.map(({ traits }, i) => ({
      id: `case-${i}`,
      key: `key-${i}`,
      characters: 10 + i,
      ...traits,
    })),
    probabilities: [column(({ predicted }) => 1 - predicted), column(() => 1)],
    quality: [column(({ cheap }) => cheap), column(({ strong }) => strong)],
    costUsd: [column(() => 1), column(() => 10)],
  };
}

/** So many rows of each kind. */
export function rowsOf(...kinds: readonly (readonly [number, Row])[]): Row[] {
  return kinds.flatMap(([count, row]) => Array.from({ length: count }, () => row));
}

export const KEPT_WELL: Row = { cheap: 1, strong: 1, predicted: 0.1 };
export const DOWNGRADED: Row = { cheap: 0, strong: 1, predicted: 0.1 };
export const ESCALATED: Row = { cheap: 0, strong: 1, predicted: 0.9 };
