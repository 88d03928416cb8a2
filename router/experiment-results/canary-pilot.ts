import { randomUUID } from 'node:crypto';
import { type SafeError, safeError } from '../errors.ts';
import {
  type Canary,
  type CanaryMove,
  canaryMove,
  type ExperimentState,
  type HeldState,
  type LiveExperiments,
  moveExperiment,
  noteLook,
  readWatermark,
} from '../experiments/index.ts';
import type { Documents, Lease, Leases, Log } from '../state/index.ts';
import { type CanaryEvidenceSoFar, canaryEvidence } from './canary-evidence.ts';
import { type ResultsFeed, resultsFeed } from './results-feed.ts';

const EVERY_MS = 2_000;
const NOTED_EVERY_MS = 10_000;
const LEASE = 'experiments';
/** Whoever dies keeps the others from moving anything for so long. */
const LEASE_MS = 15_000;

/** Moves the canaries, on one of the instances. */
export interface CanaryPilot {
  /** Looks at the evidence now, if this instance has the lease. Never rejects. */
  look(): Promise<void>;
  close(): Promise<void>;
}

interface PilotParts {
  readonly experiments: Pick<LiveExperiments, 'canaries' | 'refresh'>;
  readonly documents: Documents;
  readonly log: Log;
  readonly leases: Leases;
  /** What is served under a name of a profile now. */
  readonly candidate: (profile: string) => CandidateStanding;
  /** Called for each move, after it was made. */
  readonly onMove: (name: string, state: ExperimentState) => void;
  /** Called when the state cannot be used, and again only after it could be. */
  readonly onFailure: (trouble: SafeError) => void;
  readonly everyMs?: number;
  readonly nowMs?: () => number;
}

export interface CandidateStanding {
  /** sha256 of its artifact. */
  readonly artifact: string;
  /** Why it may not serve; undefined if it may. */
  readonly fault: string | undefined;
}

/** What one canary's rules are judged by, read on from where it was read last. */
interface Watched {
  readonly startedAt: string;
  readonly feed: ResultsFeed;
  readonly found: CanaryEvidenceSoFar;
  /** Why it stays, as it was last said, and when. */
  noted: string | undefined;
  notedMs: number;
}

/**
 * One instance at a time has the lease, reads the log of the state and moves the stages. A move is written only if the state is the one that it was decided on,
 * so that two instances that both believe to have the lease cannot both move it.
 */
export function openCanaryPilot(parts: PilotParts): CanaryPilot {
  const { experiments, documents, log, leases, candidate, onMove, onFailure } = parts;
  const { everyMs = EVERY_MS, nowMs = Date.now } = parts;
  const holder = randomUUID();
  const watched = new Map<string, Watched>();
  let failing = false;
  let looking: Promise<void> | undefined;
  let lease: Lease | undefined;

  function watch(canary: Canary, startedAt: string): Watched {
    const startedMs = Date.parse(startedAt);
    const found = canaryEvidence(canary, startedMs, {
      candidate: () => candidate(canary.candidate).artifact,
      control: () => candidate(canary.profile).artifact,
    });
    const feed = resultsFeed(log, startedMs, found, true, { watermark: () => readWatermark(documents) });
    return { startedAt, found, feed, noted: undefined, notedMs: 0 };
  }

  async function judge(canary: Canary, held: HeldState): Promise<void> {
    const { name } = canary;
    const { started_at: startedAt, stage } = held.state;
    let own = watched.get(name);
    if (own?.startedAt !== startedAt) {
      own = watch(canary, startedAt);
      watched.set(name, own);
    }
    await own.feed.read();
    const evidence = own.found.evidence(stage, candidate(canary.candidate).fault);
    const move = canaryMove(canary, held.state, evidence, nowMs());
    if (move.kind === 'stay') {
      const waiting = own.feed.waiting();
      const reason = `${move.reason}${waiting === 0 ? '' : `; ${waiting} that have ended wait for earlier ones`}`;
      if (reason === own.noted && nowMs() - own.notedMs < NOTED_EVERY_MS) return;
      [own.noted, own.notedMs] = [reason, nowMs()];
      await noteLook(documents, name, reason, own.notedMs);
      return;
    }
    onMove(name, await moveExperiment(name, held, written(move), { documents, log }, nowMs()));
  }

  async function judgeAll(): Promise<void> {
    await experiments.refresh();
    for (const { canary, held } of experiments.canaries()) await judge(canary, held);
    await experiments.refresh();
  }

  async function lookOnce(): Promise<void> {
    if (experiments.canaries().length === 0) {
      watched.clear();
      return;
    }
    try {
      lease = await leases.acquire(LEASE, holder, LEASE_MS);
      if (lease === undefined) return; // what was read is kept: it may be this one's turn again
      await whileRenewed(lease, judgeAll);
      failing = false;
    } catch (error) {
      if (!failing) onFailure(safeError(error));
      failing = true;
    }
  }

  /** A long log takes longer to read than the lease lasts. */
  async function whileRenewed(held: Lease, work: () => Promise<void>): Promise<void> {
    const renew = () => void leases.renew(held, LEASE_MS).catch(() => {});
    const renewing = setInterval(renew, LEASE_MS / 3).unref();
    try {
      await work();
    } finally {
      clearInterval(renewing);
    }
  }

  function look(): Promise<void> {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  const timer = setInterval(() => void look(), everyMs).unref();
  return {
    look,
    async close() {
      clearInterval(timer);
      await looking;
      if (lease !== undefined) await leases.release(lease).catch(() => {});
    },
  };
}

function written({ kind, stage, reason }: Exclude<CanaryMove, { kind: 'stay' }>) {
  if (kind === 'roll-back') return { status: 'rolled-back', stage, reason } as const;
  return { status: kind === 'promote' ? 'promoted' : 'running', stage, reason } as const;
}
