import { mean, quantile } from '../../router/statistics/index.ts';
import { amountsAt, decisionScores, rungsAt } from '../threshold/index.ts';
import type { Evidence } from './evidence.ts';
import type { PairedOutcomes } from './ranking.ts';
import type { Replay, ReplayedCascade } from './replay.ts';

/** A replay of a cascade. */
export type CascadeReplay = Replay & { readonly cascade: ReplayedCascade };

export function isCascade(replay: Replay): replay is CascadeReplay {
  return replay.cascade !== undefined;
}

/** What the cascade does with each request at its accept level, and how long that takes against always-strong. */
export function measureCascade(
  { heldOut, labelled }: { readonly heldOut: CascadeReplay; readonly labelled: CascadeReplay },
  threshold: number,
  skip: number,
): NonNullable<Evidence['cascade']> {
  const { checkedFrom, keptFrom, replyLosses } = heldOut.cascade;
  const shareOf = (is: (row: number) => boolean) => {
    let count = 0;
    for (let row = 0; row < heldOut.n; row++) count += Number(is(row));
    return count / heldOut.n;
  };
  const skipped = shareOf((row) => checkedFrom[row]! > threshold);
  const accepted = shareOf((row) => keptFrom[row]! <= threshold);
  return {
    accept: threshold,
    skip,
    share_skipped: skipped,
    share_accepted: accepted,
    share_escalated: shareOf((row) => checkedFrom[row]! <= threshold && keptFrom[row]! > threshold),
    unknown_replies: replyLosses.reduce((count, loss) => count + Number(Number.isNaN(loss)), 0),
    latency: measureLatency(labelled, threshold),
  };
}

/** Of the cases that have the latency of both models; null if none has. */
function measureLatency(
  replay: CascadeReplay,
  threshold: number,
): NonNullable<Evidence['cascade']>['latency'] {
  const { latencyMs } = replay.cascade;
  const strong = latencyMs[1]!;
  const served = amountsAt(latencyMs, threshold, replay.cascade);
  const rungs = rungsAt(decisionScores(replay), threshold);
  const rows = Array.from(strong.keys()).filter((row) =>
    latencyMs.every((column) => !Number.isNaN(column[row]!)),
  );
  if (rows.length === 0) return null;
  const points = (of: (row: number) => number) => {
    const values = rows.map(of);
    return { mean: mean(values), p50: quantile(values, 0.5), p95: quantile(values, 0.95) };
  };
  return {
    n: rows.length,
    routed_ms: points((row) => served[rungs[row]!]![row]!),
    strong_ms: points((row) => strong[row]!),
    added_ms: points((row) => served[rungs[row]!]![row]! - strong[row]!),
  };
}

/** The outcomes where whoever escalates has paid for the cheap call too. */
export function withCheapCall(outcomes: PairedOutcomes): PairedOutcomes {
  const { cheapCostUsd, strongCostUsd } = outcomes;
  const both = Array.from(cheapCostUsd, (cheap, row) => {
    const strong = strongCostUsd[row];
    return cheap === undefined || strong === undefined ? undefined : cheap + strong;
  });
  return { ...outcomes, strongCostUsd: both };
}
