import type { Rung } from '../../router/artifact/index.ts';
import { type Cascade, checkedRungs, skipAt } from '../../router/cascade/index.ts';
import { mean, quantile } from '../../router/statistics/index.ts';
import type { Evidence } from '../../router/verdict-report/index.ts';
import { amountsAt, decisionScores, rungsAt } from '../threshold/index.ts';
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
  cascade: Cascade,
  ladder: readonly Rung[],
): NonNullable<Evidence['cascade']> {
  const { checkedFrom, keptFrom, replyLosses } = heldOut.cascade;
  const countOf = (is: (row: number) => boolean) => {
    let count = 0;
    for (let row = 0; row < heldOut.n; row++) count += Number(is(row));
    return count;
  };
  const shareOf = (is: (row: number) => boolean) => countOf(is) / heldOut.n;
  const within = (columns: readonly Float64Array[]) => (row: number) =>
    columns.some((levels) => levels[row]! <= threshold);
  const [isCalled, isKept] = [within(checkedFrom), within(keptFrom)];
  return {
    accept: threshold,
    skip: skipAt(cascade, threshold),
    share_skipped: shareOf((row) => !isCalled(row)),
    share_accepted: shareOf(isKept),
    share_escalated: shareOf((row) => isCalled(row) && !isKept(row)),
    unknown_replies: countOf((row) => replyLosses.some((losses) => Number.isNaN(losses[row]!))),
    latency: measureLatency(labelled, threshold),
    ...(cascade.middle && {
      rungs: checkedRungs(cascade).map((limits, rung) => {
        const isKeptBelow = within(keptFrom.slice(0, rung));
        const isCalledHere = (row: number) => !isKeptBelow(row) && checkedFrom[rung]![row]! <= threshold;
        return {
          candidate: ladder[rung]!.candidate,
          skip: skipAt(limits, threshold),
          share_called: shareOf(isCalledHere),
          share_accepted: shareOf((row) => isCalledHere(row) && keptFrom[rung]![row]! <= threshold),
        };
      }),
    }),
  };
}

/** Measured on the cases that have the latency of every model; null if none has. */
function measureLatency(
  replay: CascadeReplay,
  threshold: number,
): NonNullable<Evidence['cascade']>['latency'] {
  const { latencyMs } = replay.cascade;
  const strong = latencyMs.at(-1)!;
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
