import type { ArtifactFiles } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { type QualityScale, scaleName } from '../case-files/index.ts';
import { type Case, checkedModels, requireKnownReplies } from '../cases/index.ts';
import { hashKeys, type LabelPlan, readLabelPlan, requireDrawnBy } from './label-plan.ts';
import type { LoadedSuite } from './suite.ts';

/**
 * The cases of one session as one group: they are seen, or left out, together.
 * @throws PlimsollError `invalid-input` if the artifact or the cases are such that sessions cannot be replayed
 */
export function keptInSessions(
  cases: readonly Case[],
  { manifest: { name, cascade } }: ArtifactFiles,
  { suite, file }: LoadedSuite,
): readonly Case[] {
  const refuse = (why: string) =>
    new PlimsollError('invalid-input', `${file}: ${why}`, { place: { file, field: 'sessions' } });
  if (cascade !== undefined)
    throw refuse(
      `${name} is a cascade, whose sessions depend on replies that a replay does not have. Leave "sessions" out.`,
    );
  if (suite.sampling === 'groups')
    throw refuse('sessions are the draws, so "sampling: groups" says nothing. Leave one of the two out.');
  if (cases.some(({ weight = 1 }) => weight !== 1))
    throw refuse(
      'the cases have weights, and a session is one draw. Draw whole sessions with one probability.',
    );
  if (cases.some(({ outcomes }) => [...outcomes.values()].some(({ labelSource }) => labelSource === 'judge')))
    throw refuse(
      'labels of a judge cannot be corrected over sessions. Leave "sessions" or these labels out.',
    );
  if (cases.every(({ sessionTurn }) => sessionTurn === undefined))
    throw refuse('no case names a session. Give each its "session" and "turn", or leave "sessions" out.');
  return cases.map((one) =>
    one.sessionTurn === undefined ? one : { ...one, group: `session ${one.sessionTurn.session}` },
  );
}

/** @throws PlimsollError `invalid-input` if the plan belongs to another artifact or other cases, or cannot prove what the suite asks for */
export function loadPlan(
  file: string,
  { manifest, sha256 }: ArtifactFiles,
  { suite }: LoadedSuite,
  heldOut: readonly Case[],
): LabelPlan {
  const plan = readLabelPlan(file);
  const refuse = (why: string) => new PlimsollError('invalid-input', `${file}: ${why}`, { place: { file } });
  if (plan.artifact.sha256 !== sha256) {
    throw refuse(
      `the labels were drawn by scores of ${plan.artifact.name}, another artifact than ${manifest.name}, which is gated. Plan again with this one, or gate that one.`,
    );
  }
  requireDrawnBy(file, plan, heldOut);
  if (hashKeys(heldOut.map(({ key }) => key)) !== plan.drawn.keys_sha256) {
    throw refuse(
      `the cases are not the ${plan.drawn.n} that were drawn. Give exactly those, the ones that nobody labelled included: each of them counts as a loss of 1 where it is kept cheap.`,
    );
  }
  if (heldOut.some(({ weight }) => weight !== undefined)) {
    throw refuse(
      'the cases have weights, and the share of the requests that a plan bounds is of a pool in which each counts once. Plan with prompts that were all drawn with one probability, or leave --label-plan out and label cases from all requests.',
    );
  }
  if (suite.slices.length > 0 || suite.sampling === 'groups' || suite.sessions !== undefined) {
    throw refuse(
      'labels for a part of the requests cannot prove slices, groups or sessions. Leave "slices", "sampling: groups" and "sessions" out of the suite, or label cases that were drawn from all requests.',
    );
  }
  return plan;
}

/**
 * The margin is meant on the scale of training; on another scale the same labels give another loss. Scales that the files themselves show may
 * differ, since a number means the same there whoever reads it.
 * @throws PlimsollError `invalid-input` if a scale is named, and the artifact has not learned from qualities on it
 */
export function requireScaleOf(
  { manifest: { name, data } }: ArtifactFiles,
  given: QualityScale | undefined,
): void {
  if (given === undefined) return;
  const learned = (data.quality_scale ?? '0-1').split(', ');
  const scale = scaleName(given);
  if (learned.includes(scale)) return;
  throw new PlimsollError(
    'invalid-input',
    `The quality scale ${scale} is another than that of ${name}, which learned from qualities on ${learned.join(' and ')}: the same labels would say another loss. Leave --quality-scale out, so that the files show theirs; if they cannot, convert them first: plimsoll import csv FILE --quality-scale ${scale} --out CASES.jsonl.`,
  );
}

/**
 * A cascade judges replies, so the cases must have those of all models but the strongest.
 * @throws PlimsollError `insufficient-data` if nothing is known about any; `invalid-input` for cases that were never put to a model
 */
export function requireReplies(
  heldOut: readonly Case[],
  { manifest: { name, ladder } }: ArtifactFiles,
  { suite, file }: LoadedSuite,
): void {
  const models = checkedModels(ladder.map(({ model }) => model));
  if (suite.tier_cases.length > 0) {
    throw new PlimsollError(
      'invalid-input',
      `${file}: cases with a tier have no replies, and ${name} is a cascade, which judges those of ${models.join(' and ')}. Leave "tier_cases" out.`,
      { place: { file, field: 'tier_cases' } },
    );
  }
  for (const model of models) requireKnownReplies(heldOut, model);
}
