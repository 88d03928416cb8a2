import { type Row, spread, type Target } from '../measurement.ts';

/** What every stress run gets. */
export interface StressContext {
  /** Different prompts of 64 word pieces. */
  readonly texts: readonly string[];
  /** Requests at once of the run with a budget. */
  readonly concurrent: number;
  /** Requests of the run with broken streams. */
  readonly requests: number;
  /** Requests of each side of the run with hedges. */
  readonly hedged: number;
  /** Conversations of the run with deployments. */
  readonly sessions: number;
  /** Length of each round of the run with a busy key. */
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export type StressBench = (context: StressContext) => Promise<readonly Row[]>;

export const NONE: Target = { of: 'value', is: 'at most', required: 0 };

/** A figure of one run. */
export function figure(
  name: string,
  {
    what,
    unit,
    value,
    samples,
    target,
    notes = [],
  }: Pick<Row, 'what' | 'unit' | 'samples' | 'target'> & {
    readonly value: number;
    readonly notes?: readonly string[];
  },
): Row {
  return { name, what, unit, value: spread([value]), samples, peer: null, ratio: null, target, notes };
}

/** Calls `work` with 0, 1, 2 … `count - 1`, this many at once. */
export async function atOnce(
  count: number,
  width: number,
  work: (i: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) await work(i);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker));
}
