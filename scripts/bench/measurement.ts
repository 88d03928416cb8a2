import { setTimeout as sleep } from 'node:timers/promises';
import { PlimsollError } from '../../router/errors.ts';

/** The median of several rounds and their range. */
export interface Spread {
  /** Rounds; each has `Row.samples` samples. */
  readonly n: number;
  readonly median: number;
  /** The lowest and the highest round. */
  readonly low: number;
  readonly high: number;
}

/** The limit for a figure: `required` must be met, `aim` is where we want to be. */
export interface Target {
  readonly of: 'value' | 'ratio';
  readonly is: 'at most' | 'at least';
  readonly required: number;
  readonly aim?: number;
}

/** One measured figure, and the floor or peer measured in turns with it. */
export interface Row {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly value: Spread;
  /** Samples per round. */
  readonly samples: number;
  readonly peer: { readonly what: string; readonly value: Spread } | null;
  /** Why there is no peer, if one was wanted. */
  readonly peer_missing?: string;
  /** value / peer, round by round. */
  readonly ratio: Spread | null;
  readonly target: Target | null;
  readonly notes: readonly string[];
}

/** A row and whether it meets its target: null without a target, or if the figure could not be measured. */
export interface JudgedRow extends Row {
  readonly met: boolean | null;
  readonly aim_met: boolean | null;
}

/** What every benchmark gets. */
export interface BenchContext {
  /** Folder of an artifact with the static encoder. */
  readonly artifact: string;
  /** Folder of an artifact with the MiniLM encoder; made on first use. */
  readonly minilmArtifact: () => Promise<string>;
  /** Different texts of 64 word pieces. */
  readonly texts: readonly string[];
  /** One line on stderr. */
  readonly say: (line: string) => void;
}

/** One benchmark; it may have several figures. */
export type Bench = (context: BenchContext) => Promise<readonly Row[]>;

interface Rate {
  readonly perSecond: number;
  readonly seconds: number;
}

export function judge(row: Row): JudgedRow {
  const { target } = row;
  const figure = target && row[target.of]?.median;
  if (!target || figure === undefined || figure === null) return { ...row, met: null, aim_met: null };
  const reaches = (bound: number) => (target.is === 'at most' ? figure <= bound : figure >= bound);
  return {
    ...row,
    met: reaches(target.required),
    aim_met: target.aim === undefined ? null : reaches(target.aim),
  };
}

/**
 * Runs the measures in turns, A B A B, so that a machine that slows down or speeds up does so for all of them.
 * The first `warmUp` rounds are discarded.
 * @returns for each measure the results of its rounds
 */
export async function inTurns<T>(
  measures: readonly (() => Promise<T> | T)[],
  { rounds, warmUp = 0 }: { readonly rounds: number; readonly warmUp?: number },
): Promise<T[][]> {
  const series = measures.map((measure) => ({ measure, figures: [] as T[] }));
  for (let round = -warmUp; round < rounds; round++) {
    for (const { measure, figures } of series) {
      const figure = await measure();
      if (round >= 0) figures.push(figure);
    }
  }
  return series.map(({ figures }) => figures);
}

/** @example spread([3, 1, 2]) // { n: 3, median: 2, low: 1, high: 3 } */
export function spread(figures: readonly number[]): Spread {
  return {
    n: figures.length,
    median: quantile(figures, 0.5),
    low: Math.min(...figures),
    high: Math.max(...figures),
  };
}

/** Each round of one measure divided by the same round of the other. */
export function ratios(figures: readonly number[], peers: readonly number[]): Spread {
  return spread(figures.map((figure, i) => figure / (peers[i] ?? Number.NaN)));
}

/** The p-quantile, linear between neighbours; p is 0..1. */
export function quantile(figures: readonly number[], p: number): number {
  const sorted = Float64Array.from(figures).sort();
  const rank = (sorted.length - 1) * p;
  const below = sorted[Math.floor(rank)]!;
  return below + (sorted[Math.ceil(rank)]! - below) * (rank - Math.floor(rank));
}

/** The median time of one call over all items, in ms: what a single request sees. */
export async function medianCallMs<T>(items: readonly T[], call: (item: T) => unknown): Promise<number> {
  const times: number[] = [];
  for (const item of items) {
    const startedMs = performance.now();
    const result = call(item);
    if (result instanceof Promise) await result;
    times.push(performance.now() - startedMs);
  }
  return quantile(times, 0.5);
}

/**
 * The names of the requested benchmarks; by default all.
 * @param only names separated by commas
 * @throws PlimsollError `invalid-input` for an unknown name
 */
export function selectBenches(
  benches: Readonly<Record<string, unknown>>,
  only: string | undefined,
): readonly string[] {
  const all = Object.keys(benches);
  const names = only?.split(',') ?? all;
  const unknown = names.find((name) => !Object.hasOwn(benches, name));
  if (unknown === undefined) return names;
  const choices = all.join(', ');
  throw new PlimsollError('invalid-input', `There is no benchmark '${unknown}'. Choose from ${choices}.`);
}

/**
 * Starts requests at a fixed rate, whether or not earlier ones have ended: a slow response delays no later request, so that nothing
 * slow hides. Resolves to the results in order; rejects with the first failure, after all have ended.
 */
export async function openLoop<T>(rate: Rate, send: (index: number) => Promise<T>): Promise<T[]> {
  const startedMs = performance.now();
  const sent: Promise<T>[] = [];
  for (let i = 0; i < rate.perSecond * rate.seconds; i++) {
    const waitMs = startedMs + (1000 * i) / rate.perSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const result = send(i);
    result.catch(() => {}); // reported below
    sent.push(result);
  }
  await Promise.allSettled(sent);
  return Promise.all(sent);
}
