import { RecentMap } from '../recent-map.ts';
import type { WindowSums } from '../state/index.ts';
import {
  type AppliedLimit,
  type Limit,
  type LimitField,
  type LimitSubject,
  type LimitWindow,
  limitFinder,
  windowAt,
} from './limit-rules.ts';

/** Who asks, before it is known which model is called. */
export type AskingSubject = Omit<LimitSubject, 'model' | 'provider' | 'deployment'>;

/** What the ledger last said about the windows of limits that are named, or of models: each reservation brings it along, so nothing is read for it. */
export interface UsedShares {
  /** @param sums of the window, in its unit */
  told(window: ToldWindow, sums: WindowSums): void;
  /**
   * How much of a limit is used up: the largest share of its windows, 0 or more, that the request of this subject counts in. 0 if it counts in
   * none, and as long as the ledger has said nothing of the window, which another instance may have used.
   */
  of(name: string, subject: AskingSubject, nowMs: number): number;
  /** The same of the windows of one limit, with what is reserved in them. */
  ofLimit(limit: AppliedLimit, nowMs: number): number;
}

interface ToldWindow {
  readonly scope: string;
  readonly window: string;
  readonly startMs: number;
  readonly cap: number;
}

/** Shares of the cap, 0 or more. */
interface KnownWindow {
  readonly startMs: number;
  readonly settled: number;
  /** With what is reserved. */
  readonly all: number;
}

/** A limit for each key may have as many windows as there are keys. */
const MOST_WINDOWS = 10_000;

export function usedShares(limits: readonly Limit[]): UsedShares {
  const named = limits.filter(({ name }) => name !== undefined);
  const finders = named.map((limit) => ({ limit, find: limitFinder([limit]) }));
  const known = new RecentMap<KnownWindow>(MOST_WINDOWS);
  const isAsked = named.length > 0 || limits.some(({ whenFull }) => whenFull !== undefined);
  const knownOf = (scope: string, window: LimitWindow, nowMs: number) => {
    const told = known.get(`${scope}\0${window.name}`);
    return told?.startMs === windowAt(window, nowMs).startMs ? told : undefined; // else an earlier one
  };
  return {
    told({ scope, window, startMs, cap }, { settled, reserved }) {
      if (!isAsked) return;
      known.set(`${scope}\0${window}`, { startMs, settled: settled / cap, all: (settled + reserved) / cap });
    },
    of(name, subject, nowMs) {
      let largest = 0;
      for (const { limit, find } of finders) {
        if (limit.name !== name) continue;
        const [model, provider, deployment] = OF_MODELS.map((field) => ownName(limit, field)) as [
          Names,
          Names,
          Names,
        ];
        const whole = { ...subject, model, provider, deployment };
        for (const { scope, windows } of find(whole)) {
          for (const window of windows) {
            largest = Math.max(largest, knownOf(scope, window, nowMs)?.settled ?? 0);
          }
        }
      }
      return largest;
    },
    ofLimit: ({ scope, windows }, nowMs) =>
      Math.max(0, ...windows.map((window) => knownOf(scope, window, nowMs)?.all ?? 0)),
  };
}

type Names = readonly string[];
const OF_MODELS = ['model', 'provider', 'deployment'] as const;

/** For a limit on a model, everything that counts is known without the request. */
function ownName(limit: Limit, field: LimitField): readonly string[] {
  const name = limit.for[field];
  return name === undefined ? [] : [name];
}
