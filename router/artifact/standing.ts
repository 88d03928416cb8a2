import { PlimsollError } from '../errors.ts';
import { COMMAND } from '../package.ts';
import { shellWord } from '../shell-word.ts';
import type { ArtifactFiles } from './artifact-files.ts';
import { conditionWords } from './condition-words.ts';
import { FLOOR_REASONS, type Floors, type FoundVerdict, floorFault } from './floors.ts';
import type { Manifest } from './manifest.ts';
import { parseVerdict, readVerdictBytes, type StoredVerdict, type VerdictWord, worstOf } from './verdict.ts';

/** Why a verdict does not count, or that there is none. */
export const NO_PASS_REASONS = [
  'no-verdict',
  'unreadable',
  'other-artifact',
  'other-policy',
  'edited',
  'not-passed',
  'in-the-future',
  ...FLOOR_REASONS, // of the server's configuration
] as const;

export type NoPass = (typeof NO_PASS_REASONS)[number];

interface Term {
  readonly suite: string;
  /** The threshold that was judged. */
  readonly threshold: number;
  /** ISO 8601. */
  readonly issued: string;
  readonly expires: string;
  /** The server's `gate.max_valid_for_days`, if the verdict alone would expire later. */
  readonly floorDays?: number;
}

/**
 * What an artifact may claim of its policy: a valid PASS, one that has run out, or nothing. If a router serves other models than it
 * learned from, the PASS is stale; if audits speak against it, it is contradicted. `why` is for a person.
 */
export type Standing =
  | ({ readonly kind: 'pass' } & Term)
  | ({ readonly kind: 'stale'; readonly why: string } & Term)
  | ({ readonly kind: 'expired'; readonly why: string } & Term)
  | ({ readonly kind: 'contradicted'; readonly why: string } & Term)
  | { readonly kind: 'none'; readonly reason: NoPass; readonly why: string };

/** What a verdict is held against. */
export type Judged = Pick<ArtifactFiles, 'folder' | 'manifest' | 'sha256'>;

const DAY_MS = 86_400_000;
/** Clocks of two machines differ; further apart than this, one of them is wrong. */
const CLOCK_TOLERANCE_MS = DAY_MS;
/** No date of ISO 8601 with four digits is later, however many days a suite names. */
const LAST_EXPIRY_MS = Date.UTC(9999, 11, 31);

/** The standing of an artifact at the time `now`. Trusts neither the verdict's word nor that it belongs to this artifact. */
export function standingOf(artifact: Judged, verdict: StoredVerdict | undefined, now: Date): Standing {
  if (verdict === undefined) return none('no-verdict', withoutVerdict(artifact.folder));
  const fault =
    faultOfBinding(artifact, verdict) ?? faultOfWord(artifact, verdict) ?? faultOfClock(verdict, now);
  if (fault) return fault;
  return standingAt({ kind: 'pass', ...verdictTerm(verdict) }, now.getTime(), artifact.folder);
}

/**
 * The standing of what lies in the artifact's folder; a verdict that cannot be read counts for nothing, and says why.
 * @param floors what the server asks beyond PASS; by default nothing
 */
export function standingInFolder(artifact: Judged, now: Date, floors: Floors = {}): Standing {
  const { folder } = artifact;
  try {
    const bytes = readVerdictBytes(folder);
    if (bytes === undefined) return standingOf(artifact, undefined, now);
    const verdict = parseVerdict(folder, bytes);
    const standing = standingOf(artifact, verdict, now);
    return standing.kind === 'none'
      ? standing
      : overFloors(standing, { folder, verdict, bytes }, floors, now);
  } catch (error) {
    if (error instanceof PlimsollError) return none('unreadable', error.message);
    throw error;
  }
}

/** A PASS below a floor does not count, and a floor may let it expire before the verdict does. */
function overFloors(standing: Standing, found: FoundVerdict, floors: Floors, now: Date): Standing {
  const fault = floorFault(found, floors);
  if (fault !== undefined) return none(fault.reason, fault.why);
  const { maxValidForDays: days } = floors;
  if (days === undefined || days >= found.verdict.valid_for_days) return standing;
  const term = verdictTerm(found.verdict, days);
  return standingAt({ ...standing, ...term, kind: 'pass', floorDays: days }, now.getTime(), found.folder);
}

/** A PASS runs out while it is being relied on: the same standing at a later time. */
export function standingAt(standing: Standing, nowMs: number, folder: string): Standing {
  if (standing.kind !== 'pass' || nowMs < Date.parse(standing.expires)) return standing;
  const { suite, threshold, issued, expires, floorDays } = standing;
  const days = floorDays === undefined ? '' : `, after the ${floorDays} days of gate.max_valid_for_days`;
  const why = `The PASS of ${folder} by the suite ${suite}, issued ${issued}, expired on ${expires}${days}. ${gateAgain(folder)}`;
  return { kind: 'expired', suite, threshold, issued, expires, why };
}

/** A PASS that audits of live requests speak against. Another standing stays what it is. */
export function contradictedStanding(standing: Standing, why: string): Standing {
  return standing.kind === 'pass' ? { ...standing, kind: 'contradicted', why } : standing;
}

/** The artifact's policy with the threshold that serves: the one that the verdict is of, or without a PASS the manifest's preview. */
export function servedPolicy({ policy }: Pick<Manifest, 'policy'>, standing: Standing): Manifest['policy'] {
  return standing.kind === 'none' ? policy : { ...policy, threshold: standing.threshold };
}

/** @throws PlimsollError `ungated`, with the standing's reason, unless it is a valid PASS. */
export function requirePass(standing: Standing): void {
  if (standing.kind !== 'pass') throw new PlimsollError('ungated', standing.why);
}

function none(reason: NoPass, why: string): Standing {
  return { kind: 'none', reason, why };
}

function withoutVerdict(folder: string): string {
  return `${folder} has no verdict: the gate has not run on it. ${gateCommand(folder)}`;
}

function gateCommand(folder: string): string {
  return `Run \`${COMMAND} gate --artifact ${shellWord(folder)} --suite <suite>\`.`;
}

function gateAgain(folder: string): string {
  return gateCommand(folder).replace('Run', 'Gate it again:');
}

/** A verdict speaks of one manifest and of one policy in it. */
function faultOfBinding({ folder, manifest, sha256 }: Judged, verdict: StoredVerdict): Standing | undefined {
  const { artifact, policy } = verdict;
  if (artifact.sha256 !== sha256) {
    const why = `The verdict in ${folder} is of another artifact: of ${artifact.name}, whose manifest.json has the sha256 ${artifact.sha256.slice(0, 12)}…, and here it is ${sha256.slice(0, 12)}…. ${gateCommand(folder)}`;
    return none('other-artifact', why);
  }
  const served = manifest.policy;
  const same =
    policy.name === served.name &&
    policy.version === served.version &&
    (verdict.schema_version === 2 || policy.threshold === served.threshold);
  if (same) return undefined;
  const why = `The verdict in ${folder} is of the policy ${policyWords(policy)}, and the artifact's is ${policyWords(served)}. ${gateCommand(folder)}`;
  return none('other-policy', why);
}

function policyWords({ name, version, threshold }: StoredVerdict['policy']): string {
  return `${name} v${version} with threshold ${threshold}`;
}

function faultOfWord({ folder }: Judged, verdict: StoredVerdict): Standing | undefined {
  const worst = worstOf(verdict.conditions.map((condition) => condition.verdict));
  const first = verdict.conditions.find((condition) => condition.verdict === worst)!;
  const worstWords = conditionWords(first);
  if (worstOf([verdict.verdict, worst]) !== verdict.verdict) {
    const why = `The verdict in ${folder} says ${verdict.verdict}, better than its own conditions: ${worstWords}. It was edited. ${gateCommand(folder)}`;
    return none('edited', why);
  }
  if (verdict.verdict === 'PASS') return undefined;
  const reasons = worst === 'PASS' ? 'though each of its conditions is PASS' : worstWords;
  return none('not-passed', notPassed(folder, verdict.verdict, verdict.suite.name, reasons));
}

function notPassed(folder: string, word: VerdictWord, suite: string, reasons: string): string {
  return `The gate said ${word} of ${folder} by the suite ${suite}: ${reasons}. Give the gate more cases, or train on more, and gate it again.`;
}

function faultOfClock({ issued }: StoredVerdict, now: Date): Standing | undefined {
  if (Date.parse(issued) - now.getTime() <= CLOCK_TOLERANCE_MS) return undefined;
  const why = `The verdict was issued on ${issued}, and by the clock of this machine it is ${now.toISOString()}. Set the clock.`;
  return none('in-the-future', why);
}

/**
 * When a verdict was issued and when its PASS runs out, by whose suite and with which threshold.
 * @param maxValidForDays the server's `gate.max_valid_for_days`, which counts where the verdict's own term is longer
 */
export function verdictTerm(
  { suite, policy, issued, valid_for_days: days }: StoredVerdict,
  maxValidForDays = Number.POSITIVE_INFINITY,
): Term {
  const expiresMs = Date.parse(issued) + Math.min(days, maxValidForDays) * DAY_MS;
  return {
    suite: suite.name,
    threshold: policy.threshold,
    issued,
    expires: new Date(Math.min(expiresMs, LAST_EXPIRY_MS)).toISOString(),
  };
}
