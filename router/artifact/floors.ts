import { type PublicKey, signatureFault } from './signature.ts';
import type { StoredVerdict } from './verdict.ts';

/** What a server asks of a verdict, beyond PASS: its owner sets it, and nobody who writes suites or verdicts can lower it. */
export interface Floors {
  /** Least confidence of the condition `quality-loss`, .5 up to below 1. */
  readonly minConfidence?: number | undefined;
  /** Largest limit of the condition `quality-loss`, above 0 up to 1. */
  readonly maxQualityLoss?: number | undefined;
  /** A PASS counts for so many days from `issued`, if the verdict does not say fewer. */
  readonly maxValidForDays?: number | undefined;
  /** Suites that count: the sha256 of each in hex, or its beginning. */
  readonly suites?: readonly string[] | undefined;
  /** Only a verdict that is signed by its private key counts. */
  readonly publicKey?: PublicKey | undefined;
}

/** Why a PASS is below a floor. */
export const FLOOR_REASONS = ['below-floor', 'other-suite', 'unsigned', 'bad-signature'] as const;

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
  return signatureFloor(found, floors) ?? suiteFloor(found, floors) ?? qualityLossFloor(found, floors);
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

function qualityLossFloor(
  { folder, verdict: { suite, conditions } }: FoundVerdict,
  { minConfidence, maxQualityLoss }: Floors,
): FloorFault | undefined {
  if (minConfidence === undefined && maxQualityLoss === undefined) return undefined;
  const condition = conditions.find(({ name }) => name === 'quality-loss');
  const pass = `The PASS of ${folder} by the suite ${suite.name}`;
  const again = (field: string) =>
    `Set ${field} in the suite, and gate it again: \`plimsoll gate --artifact ${folder} --suite <suite>\`.`;
  const below = (why: string): FloorFault => ({ reason: 'below-floor', why });
  const margin = condition?.limits.max;
  if (condition === undefined || margin === undefined) {
    const floor = minConfidence === undefined ? 'gate.max_quality_loss' : 'gate.min_confidence';
    return below(
      `${pass} has no limit of the quality loss, and ${floor} asks for one. ${again('max_quality_loss')}`,
    );
  }
  if (minConfidence !== undefined && condition.confidence < minConfidence) {
    return below(
      `${pass} has the confidence ${condition.confidence}, and gate.min_confidence asks for ${minConfidence}. ${again(`confidence: ${minConfidence}`)}`,
    );
  }
  if (maxQualityLoss !== undefined && margin > maxQualityLoss) {
    return below(
      `${pass} allows a quality loss of ${margin}, and gate.max_quality_loss allows only ${maxQualityLoss}. ${again(`max_quality_loss: ${maxQualityLoss}`)}`,
    );
  }
  return undefined;
}
