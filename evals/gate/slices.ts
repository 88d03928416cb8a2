import { countEscalated, differenceBound, mean } from '../../router/statistics/index.ts';
import type { Evidence } from '../../router/verdict-report/index.ts';
import type { HardCase } from '../cases/index.ts';
import type { Replay, Traits } from './replay.ts';
import type { Subject } from './subject.ts';
import type { SliceRule } from './suite.ts';

/** Fields by which a row may be labelled, and need not be. */
const LABELS = ['task', 'source', 'language'] as const;

/**
 * Whether a case has all that the slice asks for; undefined if that hangs on a label that its row lacks. Length, turns and tools are of the request itself:
 * one without tools offers none.
 */
export function inSlice(where: SliceRule['where'], one: Traits): boolean | undefined {
  const flag = (wanted: boolean | undefined, value: boolean) => wanted === undefined || wanted === value;
  const fits =
    one.characters >= (where.min_characters ?? 0) &&
    one.characters <= (where.max_characters ?? Number.POSITIVE_INFINITY) &&
    flag(where.multi_turn, (one.turns ?? 1) > 1) &&
    flag(where.tools, one.tools === true);
  if (!fits) return false;
  let isKnown = true;
  for (const label of LABELS) {
    const [wanted, value] = [where[label], one[label]];
    if (wanted === undefined) continue;
    if (value === undefined) isKnown = false;
    else if (![wanted].flat().includes(value)) return false;
  }
  return isKnown || undefined;
}

/** The labels that a slice asks for, in words. */
export function labelsOf(where: SliceRule['where']): string {
  return LABELS.filter((label) => where[label] !== undefined).join(' or ');
}

/** How many hard cases of a tier there are, in one slice or in all, and how many of them are escalated. */
export function countByTier(
  cases: readonly HardCase[],
  rungs: ArrayLike<number>,
  tier: HardCase['tier'],
  slice?: string,
): { n: number; escalated: number } {
  let n = 0;
  let escalated = 0;
  cases.forEach((one, row) => {
    if (one.tier !== tier || (slice !== undefined && one.slice !== slice)) return;
    n++;
    if (rungs[row]! > 0) escalated++;
  });
  return { n, escalated };
}

/** The suite's slices, then every task, source and language: what to look at when the whole is fine. */
export function measureSlices(subject: Subject, losses: Float64Array): Evidence['slices'] {
  const { suite, labelled } = subject;
  const { replay: heldOut, rungs } = labelled;
  const named = suite.slices.map(({ name, where }) => ({
    name,
    rows: rowsWhere(heldOut.n, (row) => inSlice(where, heldOut.traits[row]!) === true),
  }));
  const byTrait = (['task', 'source', 'language'] as const).flatMap((trait) => rowsByTrait(subject, trait));
  return [...named, ...byTrait]
    .filter(({ rows }) => rows.length > 0)
    .map(({ name, rows }) => {
      const values = Float64Array.from(rows, (row) => losses[row]!);
      const { low, high } = differenceBound.interval(values, 1 - suite.confidence);
      const escalated = countEscalated(Int32Array.from(rows, (row) => rungs[row]!));
      return {
        name,
        n: rows.length,
        escalation_rate: escalated / rows.length,
        quality_loss: mean(values),
        low,
        high,
        ...countUnscored(heldOut, rows),
        ...(name.startsWith('task: ') && countPredicted(heldOut, rows)),
      };
    });
}

/** How many cases of a task were only predicted to be of it; left out if none were. */
function countPredicted({ traits }: Replay, rows: Uint32Array): { readonly predicted_tasks?: number } {
  let predicted = 0;
  for (const row of rows) predicted += Number(traits[row]!.isTaskPredicted === true);
  return predicted > 0 ? { predicted_tasks: predicted } : {};
}

/** How many of these cases the strongest rung gets unscored, and why; a reason that none has is left out. */
export function countUnscored(
  { traits }: Replay,
  rows: Iterable<number>,
): Pick<Evidence['slices'][number], 'unreadable' | 'nothing_similar'> {
  let unreadable = 0;
  let nothingSimilar = 0;
  for (const row of rows) {
    const { unscored } = traits[row]!;
    if (unscored === 'unreadable') unreadable++;
    if (unscored === 'nothing-similar') nothingSimilar++;
  }
  return {
    ...(unreadable > 0 && { unreadable }),
    ...(nothingSimilar > 0 && { nothing_similar: nothingSimilar }),
  };
}

function rowsWhere(n: number, wanted: (row: number) => boolean): Uint32Array {
  const rows = new Uint32Array(n);
  let kept = 0;
  for (let row = 0; row < n; row++) if (wanted(row)) rows[kept++] = row;
  return rows.slice(0, kept);
}

/** At most this many values of a trait get a row; the largest ones. */
const MOST_ROWS = 40;

function rowsByTrait({ labelled: { replay: heldOut } }: Subject, trait: 'task' | 'source' | 'language') {
  const counts = new Map<string, number>();
  for (const { [trait]: value } of heldOut.traits) {
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const largest = [...counts].sort(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : 1)).slice(0, MOST_ROWS);
  const places = new Map(largest.map(([value, n]) => [value, { rows: new Uint32Array(n), filled: 0 }]));
  for (let row = 0; row < heldOut.n; row++) {
    const place = places.get(heldOut.traits[row]![trait]!);
    if (place) place.rows[place.filled++] = row;
  }
  return [...places].map(([value, { rows }]) => ({ name: `${trait}: ${value}`, rows }));
}
