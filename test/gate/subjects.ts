import { orderBets, type Sealed, type Subject, subjectAt, walkSealed } from '../../evals/gate/index.ts';
import type { Replay, Traits } from '../../evals/gate/replay.ts';
import { type Suite, suiteSchema } from '../../evals/gate/suite.ts';
import type { Condition } from '../../router/artifact/index.ts';

/** One held-out case: what each candidate reached, and the predicted loss of the cheap one. */
export interface Row {
  /** NaN if nobody labelled it. */
  readonly cheap: number;
  readonly strong: number;
  readonly predicted: number;
  readonly traits?: Partial<Traits>;
}

export const SUITE: Suite = suiteSchema.parse({ name: 'made', max_quality_loss: 0.05 });

/** A subject with a threshold of .5: what predicts less goes to the cheap one. */
export function subjectOf(rows: readonly Row[], changes: Partial<Sealed> = {}): Subject {
  return subjectAt(sealedOf(rows, changes), 0.5);
}

export function sealedOf(rows: readonly Row[], changes: Partial<Sealed> = {}): Sealed {
  const { suite = SUITE } = changes;
  const heldOut = replayOf(rows);
  return {
    suite,
    candidates: ['cheap', 'strong'],
    heldOut,
    bets: orderBets(heldOut.traits, suite, {
      batchOf: new Uint8Array(rows.length),
      contents: Float64Array.from(rows.keys()),
    }),
    delta: 0.05,
    ...changes,
  };
}

/** The demands of the promise, judged at a threshold of .5 alone. Name -> condition */
export function promisedAt(rows: readonly Row[], changes: Partial<Sealed> = {}): Map<string, Condition> {
  const sealed = sealedOf(rows, changes);
  const { promised } = walkSealed(sealed, Float64Array.of(0.5));
  const subject = subjectAt(sealed, 0.5);
  return new Map(promised.map((one) => [one.name, one.describe(subject)]));
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
      textHash: i,
      copyHash: i,
      numberlessHash: i,
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
