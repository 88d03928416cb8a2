import type { HardCase } from '../cases/index.ts';
import { type Bets, decisionScores, rungsAt, type ScoredColumns } from '../threshold/index.ts';
import { someBets } from './bets.ts';
import { labelledCases, pickCases, type Replay, type ReplayedCascade } from './replay.ts';
import type { SessionReplay } from './session-replay.ts';
import type { Suite } from './suite.ts';
import { thinnedRows } from './weights.ts';

/**
 * Hard cases with what the classifier says about each. Of a cascade one whose cheapest reply is not known counts as escalated if the cheapest model is not
 * called, though a check of the reply may escalate it too.
 */
export interface HardReplay extends ScoredColumns {
  readonly cases: readonly HardCase[];
  readonly cascade?: Pick<ReplayedCascade, 'keptFrom' | 'replyLosses'>;
}

/** How many hard cases of a tier have no known reply of the cheapest model to judge, if a cascade decides. */
export function unknownHardReplies({ cases, cascade }: HardReplay, tier: HardCase['tier']): number {
  if (cascade === undefined) return 0;
  return cases.filter((one, row) => one.tier === tier && Number.isNaN(cascade.replyLosses[0]![row]!)).length;
}

/** What is walked over: cases, their scores and outcomes, and the order in which they are bet on. */
export interface Sealed {
  readonly suite: Suite;
  readonly candidates: readonly string[];
  /** Every case, with NaN for outcomes that it lacks. */
  readonly heldOut: Replay;
  readonly bets: Bets;
  /** The same as one batch, if they came in several. */
  readonly merged?: Bets;
  /** 1 - confidence that this look may spend. */
  readonly delta: number;
  readonly hard?: HardReplay;
  /** What of the outcomes is the operator's word, as a sentence; left out if all are labels. */
  readonly given?: string;
  /** If whole sessions are judged. */
  readonly sessions?: SessionReplay;
  /** If labels were drawn only where a score may stay cheap. */
  readonly below?: LabelledBelow;
}

/**
 * Labels for some requests alone: a random sample of those with a score of at most a limit that was fixed from scores. All others are
 * escalated at every threshold of the walk and lose nothing, so a mean over all requests is the mean over these times their share.
 */
export interface LabelledBelow {
  readonly limit: number;
  /** Requests of the pool from which the labels were drawn. */
  readonly pool: number;
  /** What of them repeats, as a note. */
  readonly repeats?: string;
  /** Share of the pool at or below the limit; with bounds that hold together with the tests. */
  readonly share: { readonly value: number; readonly lower: number; readonly upper: number };
  /** What the bounds of the share leave of the look's delta. */
  readonly delta: number;
  /** The share of the pool that a threshold escalates. */
  escalated(threshold: number): number;
}

/** What the gate judges: a policy's decisions on held-out cases and hard cases. */
export interface Subject extends Sealed {
  readonly threshold: number;
  /** The rung of each held-out case. */
  readonly rungs: Int32Array;
  /** The rung of each hard case. */
  readonly hardRungs?: Int32Array;
  /** The held-out cases that have all outcomes, in the order in which they are bet on, and the rung of each. */
  readonly labelled: {
    readonly replay: Replay;
    readonly rungs: Int32Array;
    /** The draw that each belongs to, numbered from 0; left out if each case is a draw of its own. */
    readonly units?: Int32Array;
  };
}

/** What is judged once and described: all sealed cases, or of weighted ones those that stand for as many requests each. */
export interface Described {
  readonly subject: Subject;
  /** Which of the held-out cases they are, in order; left out if they are all. */
  readonly rows?: Uint32Array;
}

/** The policy on cases that stand for as many requests each: bounds and figures that know no weights hold of them. */
export function describedAt(sealed: Sealed, threshold: number): Described {
  const { heldOut, bets, suite } = sealed;
  const { weights } = bets;
  // what is described of sessions counts each request once
  if (weights === undefined || bets.unitsAre === 'sessions') return { subject: subjectAt(sealed, threshold) };
  const isKept = thinnedRows(
    heldOut.traits.map(({ key }) => key),
    weights,
  );
  const { rows: kept, weights: _, ...even } = someBets(bets, isKept);
  const rows = Uint32Array.from(kept);
  const thinned: Sealed = {
    ...sealed,
    heldOut: pickCases(heldOut, rows),
    bets: {
      ...even,
      rows: Uint32Array.from(rows.keys()),
      largestUnit: even.unitEnds === undefined ? 1 : suite.largest_group,
    },
  };
  return { subject: subjectAt(thinned, threshold), rows };
}

/** What the policy makes of the sealed cases at a threshold. */
export function subjectAt(sealed: Sealed, threshold: number): Subject {
  const { heldOut, bets, hard, sessions } = sealed;
  const rungs = sessions?.rungsAt(threshold) ?? rungsAt(decisionScores(heldOut), threshold);
  const { replay, rows } = labelledCases(heldOut, bets.rows);
  return {
    ...sealed,
    threshold,
    rungs,
    ...(hard && { hardRungs: rungsAt(decisionScores(hard), threshold) }),
    labelled: {
      replay,
      rungs: Int32Array.from(rows, (row) => rungs[row]!),
      ...(bets.unitEnds && { units: unitNumbers(bets, rows) }),
    },
  };
}

/** Units of which no row is left get no number. */
function unitNumbers({ rows, unitEnds = [] }: Bets, among: Uint32Array): Int32Array {
  const numbers = new Int32Array(among.length);
  let [unit, place, number] = [0, 0, -1];
  let last = -1;
  for (let i = 0; i < rows.length && place < among.length; i++) {
    while (i >= unitEnds[unit]!) unit++;
    if (rows[i] !== among[place]) continue;
    if (unit !== last) number++;
    last = unit;
    numbers[place++] = number;
  }
  return numbers;
}

/** One minus the suite's confidence: of the conditions that are judged once. */
export function errorProbability({ suite }: Pick<Subject, 'suite'>): number {
  return 1 - suite.confidence;
}
