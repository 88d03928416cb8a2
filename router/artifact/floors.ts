import { COMMAND } from '../package.ts';
import { shellWord } from '../shell-word.ts';
import { otherSettings, type ServedSessions, sessionSettingsJson } from './session-settings.ts';
import { type PublicKey, signatureFault } from './signature.ts';
import { promisedConfidence, type StoredVerdict } from './verdict.ts';

/** What a server asks of a verdict, beyond PASS: its owner sets it, and nobody who writes suites or verdicts can lower it. */
export interface Floors {
  /** Least confidence of the whole promise, over all looks at the same cases: .5 up to below 1. */
  readonly minConfidence?: number | undefined;
  /** Largest limit of the condition `quality-loss`, above 0 up to 1. */
  readonly maxQualityLoss?: number | undefined;
  /** The field that sets it, for messages: `gate.max_quality_loss` unless a profile's margin is narrower. */
  readonly maxQualityLossField?: string | undefined;
  /** A PASS counts for this many days from `issued`, if the verdict does not say fewer. */
  readonly maxValidForDays?: number | undefined;
  /** Suites that count: the sha256 of each in hex, or its beginning. */
  readonly suites?: readonly string[] | undefined;
  /** How the server keeps sessions: a verdict on whole sessions counts for the same settings alone. Left out: not asked. */
  readonly sessions?: ServedSessions | undefined;
  /** Only a verdict that is signed by its private key counts. */
  readonly publicKey?: PublicKey | undefined;
}

/** Why a PASS is below a floor. */
export const FLOOR_REASONS = [
  'below-floor',
  'other-suite',
  'unsigned',
  'bad-signature',
  'other-sessions', // the gate judged whole sessions under other settings of them
] as const;

interface FloorFault {
  readonly reason: (typeof FLOOR_REASONS)[number];
  /** For a person: the floor, what the verdict has, the remedy. */
  readonly why: string;
}

/** A verdict as it was found: parsed, and the bytes, which a signature is of. */
export interface FoundVerdict {
  readonly folder: string;
  readonly verdict: StoredVerdict;
  readonly bytes: Uint8Array;
}

/** The first floor that a PASS is below, the signature first: without it nothing in the verdict is known to be true. */
export function floorFault(found: FoundVerdict, floors: Floors): FloorFault | undefined {
  return (
    signatureFloor(found, floors) ??
    suiteFloor(found, floors) ??
    confidenceFloor(found, floors) ??
    qualityLossFloor(found, floors) ??
    sessionsFloor(found, floors)
  );
}

function signatureFloor({ folder, bytes }: FoundVerdict, { publicKey }: Floors): FloorFault | undefined {
  if (publicKey === undefined) return undefined;
  const fault = signatureFault(folder, bytes, publicKey);
  if (fault === undefined) return undefined;
  return { ...fault, why: `Only a signed verdict counts (gate.public_key: ${publicKey.file}). ${fault.why}` };
}

function suiteFloor(
  { folder, verdict: { suite } }: FoundVerdict,
  { suites }: Floors,
): FloorFault | undefined {
  if (suites === undefined || suites.some((start) => suite.sha256.startsWith(start))) return undefined;
  const why = `The PASS of ${folder} is by the suite ${suite.name} with the sha256 ${suite.sha256}, which gate.suites does not list. Gate it by a suite that is listed, or add the hash if you trust this one.`;
  return { reason: 'other-suite', why };
}

/**
 * The confidence of the suite, over all looks. That of a condition is of one look: with `looks: 10` it is .95 in a suite that asks for .5.
 * A verdict that does not say it is below any floor, since it does not follow from the rest.
 */
function confidenceFloor(found: FoundVerdict, { minConfidence }: Floors): FloorFault | undefined {
  if (minConfidence === undefined) return undefined;
  const confidence = promisedConfidence(found.verdict);
  if (confidence !== undefined && confidence >= minConfidence) return undefined;
  const has =
    confidence === undefined
      ? 'does not say the confidence of its suite, as verdicts of earlier versions do not'
      : `has the confidence ${confidence} over all looks`;
  return belowFloor(
    `${passOf(found)} ${has}, and gate.min_confidence asks for ${minConfidence}. ${setInSuite(found, `confidence: ${minConfidence}`)}`,
  );
}

/** The margin of the mean loss: no suite of the gate is without one, and a verdict may come from elsewhere. */
function qualityLossFloor(
  found: FoundVerdict,
  { maxQualityLoss, maxQualityLossField: field = 'gate.max_quality_loss' }: Floors,
): FloorFault | undefined {
  if (maxQualityLoss === undefined) return undefined;
  const margin = found.verdict.conditions.find(({ name }) => name === 'quality-loss')?.limits.max;
  if (margin !== undefined && margin <= maxQualityLoss) return undefined;
  const has =
    margin === undefined
      ? `has no limit of the quality loss, and ${field} asks for one`
      : `allows a quality loss of ${margin}, and ${field} allows only ${maxQualityLoss}`;
  return belowFloor(`${passOf(found)} ${has}. ${setInSuite(found, `max_quality_loss: ${maxQualityLoss}`)}`);
}

/** The gate judged sessions as such settings decide them: under others the same threshold sends requests elsewhere. */
function sessionsFloor(found: FoundVerdict, { sessions }: Floors): FloorFault | undefined {
  const { verdict } = found;
  const gated = verdict.schema_version === 2 ? verdict.sealed.sessions?.settings : undefined;
  if (gated === undefined || sessions === undefined) return undefined;
  const served = sessionSettingsJson(sessions);
  const wanted = otherSettings(gated, served);
  if (wanted === '') return undefined;
  const why = `${passOf(found)} is of whole sessions with ${wanted}, and this server has ${otherSettings(served, gated)}. Set sessions in the configuration as they were gated, or gate again with sessions.settings of the suite as here.`;
  return { reason: 'other-sessions', why };
}

function belowFloor(why: string): FloorFault {
  return { reason: 'below-floor', why };
}

function passOf({ folder, verdict: { suite } }: FoundVerdict): string {
  return `The PASS of ${folder} by the suite ${suite.name}`;
}

function setInSuite({ folder }: FoundVerdict, field: string): string {
  return `Set ${field} in the suite, and gate it again: \`${COMMAND} gate --artifact ${shellWord(folder)} --suite <suite>\`.`;
}
