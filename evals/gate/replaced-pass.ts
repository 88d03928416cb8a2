import path from 'node:path';
import {
  type ArtifactFiles,
  type Condition,
  promisedConfidence,
  readVerdict,
  type StoredVerdict,
  standingInFolder,
  type Verdict,
} from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';

/** The PASS in an artifact's folder, which the verdict of a gate takes the place of. */
interface ReplacedPass {
  readonly verdict: StoredVerdict;
  /** Servers take it: it belongs to the artifact, is whole and has not expired. */
  readonly serves: boolean;
}

/** The PASS that lies in an artifact's folder; undefined if no verdict can be read there, or another one. */
export function passInFolder(artifact: ArtifactFiles, now: Date): ReplacedPass | undefined {
  const verdict = readableVerdict(artifact.folder);
  if (verdict?.verdict !== 'PASS') return undefined;
  return { verdict, serves: standingInFolder(artifact, now).kind === 'pass' };
}

function readableVerdict(folder: string): StoredVerdict | undefined {
  try {
    return readVerdict(folder);
  } catch (error) {
    if (error instanceof PlimsollError) return undefined;
    throw error;
  }
}

/** What the verdict takes away from those who rely on the PASS before it, and how to have that back: a line, or none. */
export function replacedPassNotes(
  folder: string,
  { verdict: before, serves }: ReplacedPass,
  now: Verdict,
): string[] {
  if (now.verdict !== 'PASS') return serves ? [lostPassNote(folder, before, now)] : [];
  const looser = looserDemands(before, now);
  if (looser.length === 0) return [];
  return [
    `Warning: the PASS by the suite ${before.suite.name} in ${folder} is replaced by one that demands less: ${looser.join('; ')}. Restore verdict.json, such as from version control, if the stricter one is to serve.`,
  ];
}

function lostPassNote(folder: string, before: StoredVerdict, now: Verdict): string {
  const copy = path.join(path.dirname(folder), `${path.basename(folder)}-trial`);
  return [
    `Warning: the PASS by the suite ${before.suite.name} in ${folder}, issued ${before.issued}, is replaced by ${now.verdict} by the suite ${now.suite.name}: servers refuse this artifact at their next start or reload.`,
    'To have the PASS back, gate again by that suite on the same cases: it repeats its look, and adds none.',
    `To try a suite without that, copy the folder within its store, without verdict.json (to ${copy}, for one), and gate the copy.`,
  ].join(' ');
}

/**
 * What an earlier PASS demanded of an artifact and a new one that takes its place does not: limits that are wider, demands that are gone, a
 * lower confidence, a longer validity. Each in words; none if one of the two is no PASS.
 */
export function looserDemands(before: StoredVerdict, now: Verdict): string[] {
  if (before.verdict !== 'PASS' || now.verdict !== 'PASS') return [];
  const later = new Map(now.conditions.map((condition) => [condition.name, condition]));
  return [
    ...before.conditions.flatMap((condition) => looserCondition(condition, later.get(condition.name))),
    ...looserConfidence(before, now),
    ...(now.valid_for_days > before.valid_for_days
      ? [`valid for ${now.valid_for_days} days, before ${before.valid_for_days}`]
      : []),
  ];
}

function looserConfidence(before: StoredVerdict, { looks: { confidence: now } }: Verdict): string[] {
  const earlier = promisedConfidence(before);
  if (earlier === undefined || now === undefined || now >= earlier) return [];
  return [`confidence ${now} over all looks, before ${earlier}`];
}

function looserCondition({ name, limits }: Condition, now: Condition | undefined): string[] {
  if (now === undefined) return GONE_FROM_THE_GATE.has(name) ? [] : [`${name} is not demanded any more`];
  const { min, max } = now.limits;
  return [
    ...(limits.max !== undefined && (max === undefined || max > limits.max)
      ? [`${name} at most ${max ?? 'any'}, before ${limits.max}`]
      : []),
    ...(limits.min !== undefined && (min === undefined || min < limits.min)
      ? [`${name} at least ${min ?? 'any'}, before ${limits.min}`]
      : []),
  ];
}

/** Verdicts of version 1 have it; no suite can demand it any more. */
const GONE_FROM_THE_GATE = new Set(['as-calibrated']);
