import type { Row, Target } from '../measurement.ts';

/** What every benchmark of the gateway gets. */
export interface GatewayBenchContext {
  /** Different prompts of 64 word pieces. */
  readonly texts: readonly string[];
  /** Rounds that count; one round before them is discarded. */
  readonly rounds: number;
  readonly roundSeconds: number;
  readonly streams: number;
  readonly streamSeconds: number;
  readonly soakRequests: number;
  /** Requests a second while somebody follows them on the page Live. */
  readonly liveRate: number;
}

export type GatewayBench = (context: GatewayBenchContext) => Promise<readonly Row[]>;

const ratioAtMost = (required: number): Target => ({ of: 'ratio', is: 'at most', required });
const ratioAtLeast = (required: number): Target => ({ of: 'ratio', is: 'at least', required });
const atMost = (required: number): Target => ({ of: 'value', is: 'at most', required });

/** What the gateway must achieve. */
export const TARGETS = {
  added: { portkey: ratioAtMost(0.5), bare: ratioAtMost(1.5) },
  captured: ratioAtMost(1.1),
  /** Rules, sessions and budgets on. */
  controls: ratioAtMost(1.2),
  /** Ratio of the times from request to reply, the provider's own included. */
  shadowed: ratioAtMost(1.05),
  /** While somebody follows the requests on the page Live. */
  followed: ratioAtMost(1.05),
  lateFrames: atMost(0),
  state: { added: ratioAtMost(1.15), saturation: ratioAtLeast(0.85) },
  saturation: { portkey: ratioAtLeast(3), bare: ratioAtLeast(0.6) },
  addedStalls: atMost(0),
  memoryMb: atMost(600),
  /** Flat is within a tenth. */
  growth: atMost(1.1),
  unclean: atMost(0),
  /** More descriptors than before: a connection or two may be in use at the moment of counting. */
  descriptors: atMost(2),
  unanswered: atMost(0),
  failuresBeforeOpen: atMost(19),
  /** Twice `open_ms`: one period may start just before the provider comes back. */
  recoverySeconds: atMost(4),
} as const;
