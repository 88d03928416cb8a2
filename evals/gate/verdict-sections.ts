import path from 'node:path';
import { sessionSettingsJson, type Verdict } from '../../router/artifact/index.ts';
import { decisionScores, rungsAt } from '../threshold/index.ts';
import type { GateCases } from './gate-cases.ts';
import type { HeldOutCases } from './held-out-cases.ts';
import type { LabelPlan } from './label-plan.ts';
import type { LookPlan } from './look-plan.ts';
import { lossesAt } from './losses.ts';
import type { SessionReplay } from './session-replay.ts';
import type { Subject } from './subject.ts';

/** What was judged, of all that was read. */
interface JudgedCases {
  readonly subject: Subject;
  /** The cases that figures without weights are of: the same, or some of them. */
  readonly described: Subject;
  /** Over ids and keys of the cases. */
  readonly sha256: string;
  readonly excluded: HeldOutCases['excluded'];
  readonly alike: number;
}

/** The cases of a verdict. */
export function sealedSection(
  { files, excluded, rejected, predictedTasks }: GateCases,
  {
    subject: { suite, heldOut, bets, rungs, labelled, sessions, threshold },
    described,
    sha256,
    excluded: left,
    alike,
  }: JudgedCases,
): Verdict['sealed'] {
  const losses = lossesAt(heldOut, rungs, Number.NaN);
  const scales = [...new Set(files.flatMap(({ qualityScale }) => qualityScale ?? []))];
  return {
    n: heldOut.n,
    labelled: labelled.replay.n,
    sha256,
    sampling: suite.sampling,
    units: bets.unitEnds?.length ?? bets.rows.length,
    batches: [...bets.batches],
    ...(alike > 0 && { alike }),
    ...(bets.weights &&
      bets.unitsAre !== 'sessions' && {
        weights: {
          from: bets.weights.reduce((a, b) => Math.min(a, b)),
          to: bets.weights.reduce((a, b) => Math.max(a, b)),
          largest: suite.largest_weight!,
          described: described.heldOut.n,
        },
      }),
    ...(sessions &&
      suite.sessions && {
        sessions: sessionsSection(
          sessions,
          suite.sessions,
          rungs,
          rungsAt(decisionScores(heldOut), threshold),
        ),
      }),
    ...(heldOut.labels && {
      labels: { judged: countOnes(heldOut.labels.judged), people: countOnes(heldOut.labels.audited) },
    }),
    ...(predictedTasks && {
      predicted_tasks: { ...predictedTasks, cases: countPredicted(heldOut) },
    }),
    unknown_losses: losses.reduce((count, loss) => count + Number(Number.isNaN(loss)), 0),
    excluded: {
      duplicates: excluded.duplicates,
      rejected,
      seen: left.seen,
      seen_copies: left.seenCopies,
      seen_group: left.seenGroup,
    },
    ...(scales.length > 0 && { quality_scale: scales.join(', ') }),
    files: files.map(({ file, sha256: hash, rows }) => ({ file: path.basename(file), sha256: hash, rows })),
  };
}

function countPredicted({ traits }: Subject['heldOut']): number {
  return traits.filter(({ isTaskPredicted }) => isTaskPredicted === true).length;
}

/** Whole sessions, and under which settings they were decided. */
function sessionsSection(
  replay: SessionReplay,
  { settings }: NonNullable<Subject['suite']['sessions']>,
  rungs: Int32Array,
  alone: Int32Array,
): Verdict['sealed']['sessions'] {
  const moved = rungs.reduce((count, rung, row) => count + Number(rung !== alone[row]), 0);
  const { sessions: several, requests } = replay;
  return { several, requests, moved, settings: sessionSettingsJson(settings) };
}

function countOnes(flags: Uint8Array): number {
  return flags.reduce((sum, flag) => sum + flag, 0);
}

/** What a plan drew the labels from. */
export function belowSection(plan: LabelPlan): Verdict['sealed']['below_limit'] {
  const { limit, pool, below_limit: below } = plan;
  return { limit, pool: pool.rows, share: below.share, plan_sha256: plan.sha256 };
}

/** The look of a verdict. @param confidence of the suite */
export function looksSection(
  { number, delta, record, head, earlier }: LookPlan,
  confidence: number,
): Verdict['looks'] {
  return { number, delta, confidence, record, head, earlier: [...earlier] };
}
