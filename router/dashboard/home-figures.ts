import { NANO } from '../catalog/index.ts';
import { type Activity, bucketMs, MEASURES, type RequestOutcome } from '../records/index.ts';
import type { HourCount } from '../state/index.ts';

const HOUR_MS = 3_600_000;

/** Days that may be looked back, and into how many hours a bar of the chart goes. */
export const PERIODS = [
  { days: 1, barHours: 1, name: 'the last 24 hours' },
  { days: 7, barHours: 24, name: 'the last 7 days' },
  { days: 30, barHours: 24, name: 'the last 30 days' },
] as const;
export type Period = (typeof PERIODS)[number];

/** Costs in US dollars of the very same requests: those that were routed, and of which all three are known. */
export interface Savings {
  readonly requests: number;
  readonly paid: number;
  /** Estimate: the strongest model for all of them. */
  readonly strong: number;
  /** Estimate: drawn at random with the router's own shares. */
  readonly random: number;
}

export interface Quantiles {
  readonly n: number;
  readonly p50: number;
  readonly p95: number;
}

export interface ProfileFigures {
  /** Empty: requests without a profile. */
  readonly profile: string;
  readonly keptCheap: number;
  readonly escalated: number;
  readonly savings: Savings | undefined;
}

/** One bar of the chart. */
export interface Bar {
  readonly startMs: number;
  readonly requests: number;
  readonly paid: number;
  readonly strong: number;
}

export interface HomeFigures {
  readonly requests: number;
  readonly outcomes: Readonly<Partial<Record<RequestOutcome, number>>>;
  /** Requests that were handed to people, of whom nobody replied in time. */
  readonly unanswered: number;
  readonly keptCheap: number;
  readonly escalated: number;
  readonly savings: Savings | undefined;
  readonly profiles: readonly ProfileFigures[];
  /** US dollars by model, and replies by model. */
  readonly models: readonly { readonly model: string; readonly replies: number; readonly spent: number }[];
  readonly reasons: readonly (readonly [string, number])[];
  readonly verdicts: readonly (readonly [string, number])[];
  readonly added: Quantiles | undefined;
  readonly total: Quantiles | undefined;
  /** Prompt tokens, and those of them that came from a cache; undefined if no provider reported any. */
  readonly promptCache: { readonly tokens: number; readonly cached: number } | undefined;
  readonly replayed: number;
  readonly bars: readonly Bar[];
}

type Total = Omit<HourCount, 'startMs'>;

/** What requests came to in a period that ends now. It reads sums, never requests. */
export async function homeFigures(activity: Activity, period: Period, nowMs: number): Promise<HomeFigures> {
  const barMs = period.barHours * HOUR_MS;
  // Whole bars, the last of which is not over yet.
  const untilMs = (Math.floor(nowMs / barMs) + 1) * barMs;
  const span = { fromMs: untilMs - period.days * 24 * HOUR_MS, untilMs };
  const counts = await activity.counts();
  const measures = [MEASURES.requests, MEASURES.comparedCost, MEASURES.strongCost];
  const every = period.barHours === 24 ? 'day' : 'hour';
  const [totals, series] = await Promise.all([counts.totals(span), counts.series(span, measures, every)]);
  const of = labelled(totals);
  const sum = (measure: string) => [...of(measure).values()].reduce((all, one) => all + one, 0);
  const outcomes = Object.fromEntries(of(MEASURES.requests));
  const unanswered = sum(MEASURES.unanswered);
  const tokens = sum(MEASURES.promptTokens);
  return {
    requests: sum(MEASURES.requests),
    outcomes,
    unanswered,
    keptCheap: sum(MEASURES.keptCheap),
    escalated: sum(MEASURES.escalated),
    savings: savingsFrom(sum),
    profiles: profileFigures(of),
    models: modelFigures(of),
    reasons: descending(of(MEASURES.reason)),
    verdicts: descending(of(MEASURES.verdict)),
    added: quantiles(of(MEASURES.addedTime)),
    total: quantiles(of(MEASURES.totalTime)),
    promptCache: tokens === 0 ? undefined : { tokens, cached: sum(MEASURES.cachedTokens) },
    replayed: sum(MEASURES.replayed),
    bars: barsOf(series, span, barMs),
  };
}

type Labelled = (measure: string) => ReadonlyMap<string, number>;

function labelled(totals: readonly Total[]): Labelled {
  const byMeasure = new Map<string, Map<string, number>>();
  for (const { measure, label, amount } of totals) {
    const held = byMeasure.get(measure) ?? new Map<string, number>();
    byMeasure.set(measure, held.set(label, amount));
  }
  return (measure) => byMeasure.get(measure) ?? new Map();
}

function savingsFrom(amount: (measure: string) => number): Savings | undefined {
  const requests = amount(MEASURES.compared);
  if (requests === 0) return undefined;
  return {
    requests,
    paid: amount(MEASURES.comparedCost) / NANO,
    strong: amount(MEASURES.strongCost) / NANO,
    random: amount(MEASURES.randomCost) / NANO,
  };
}

function profileFigures(of: Labelled): ProfileFigures[] {
  const names = new Set([...of(MEASURES.keptCheap).keys(), ...of(MEASURES.escalated).keys()]);
  return [...names].sort().map((profile) => ({
    profile,
    keptCheap: of(MEASURES.keptCheap).get(profile) ?? 0,
    escalated: of(MEASURES.escalated).get(profile) ?? 0,
    savings: savingsFrom((measure) => of(measure).get(profile) ?? 0),
  }));
}

function modelFigures(of: Labelled): HomeFigures['models'] {
  const spent = of(MEASURES.spent);
  const served = of(MEASURES.served);
  const paidAlone = [...spent.keys()].filter((model) => !served.has(model)); // people whose work came to nothing
  return [...descending(served), ...paidAlone.map((model) => [model, 0] as const)].map(
    ([model, replies]) => ({
      model,
      replies,
      spent: (spent.get(model) ?? 0) / NANO,
    }),
  );
}

function descending(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** By the counts of buckets, each within 4.5 %. Undefined if nothing was timed. */
export function quantiles(buckets: ReadonlyMap<string, number>): Quantiles | undefined {
  const ascending = [...buckets].map(([bucket, n]) => [Number(bucket), n] as const).sort(([a], [b]) => a - b);
  const n = ascending.reduce((all, [, one]) => all + one, 0);
  if (n === 0) return undefined;
  const at = (share: number) => {
    let below = 0;
    for (const [bucket, one] of ascending) {
      below += one;
      if (below >= share * n) return bucketMs(String(bucket));
    }
    return bucketMs(String(ascending.at(-1)![0]));
  };
  return { n, p50: at(0.5), p95: at(0.95) };
}

function barsOf(
  hours: readonly Omit<HourCount, 'label'>[],
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
  barMs: number,
): Bar[] {
  const bars = Array.from({ length: Math.round((untilMs - fromMs) / barMs) }, (_, i) => ({
    startMs: fromMs + i * barMs,
    requests: 0,
    paid: 0,
    strong: 0,
  }));
  for (const { startMs, measure, amount } of hours) {
    const bar = bars[Math.floor((startMs - fromMs) / barMs)];
    if (bar === undefined) continue;
    if (measure === MEASURES.requests) bar.requests += amount;
    else if (measure === MEASURES.comparedCost) bar.paid += amount / NANO;
    else bar.strong += amount / NANO;
  }
  return bars;
}
