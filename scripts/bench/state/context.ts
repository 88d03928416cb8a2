import type { Row, Target } from '../measurement.ts';

/** What every benchmark of the state gets. */
export interface StateBenchContext {
  /** Different prompts of 64 word pieces. */
  readonly texts: readonly string[];
  /** Requests to the two instances. */
  readonly requests: number;
  /** Threads that are stored, and responses in each. */
  readonly threads: number;
  readonly turns: number;
  /** Threads that are resolved, at random. */
  readonly reads: number;
  /** Decisions in the state when the dashboard is looked at. */
  readonly decisions: number;
  readonly say: (line: string) => void;
}

export type StateBench = (context: StateBenchContext) => Promise<readonly Row[]>;

const atMost = (required: number): Target => ({ of: 'value', is: 'at most', required });

/** What the state must achieve. */
export const TARGETS = {
  /** p95 of the time to resolve a thread, in ms. */
  resolve: { sqlite: atMost(10), postgres: atMost(15) },
  /** p95 of the time until the first page is there, in ms. */
  dashboard: atMost(300),
  /** p95 of the time until it paints something on a slowed processor, in ms. */
  paint: atMost(1_000),
  /** Style and script of the first visit, compressed, in kB. */
  bytes: atMost(100),
  /** Requests or replies of which something is wrong. */
  none: atMost(0),
} as const;
