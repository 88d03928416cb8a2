import { type ArtifactFiles, NO_PASS_REASONS, type Standing, standingAt } from '../artifact/index.ts';
import { ALWAYS_STRONG, type Policy } from './policy.ts';

/** What the gate's verdict is worth for a decision. The one list of these words, for decisions, headers, logs and metrics. */
export const POLICY_VERDICTS = ['PASS', 'expired', 'stale', 'none'] as const;

export type PolicyVerdict = (typeof POLICY_VERDICTS)[number];

/** Why a verdict is not PASS. */
export const UNGATED_REASONS = [
  ...NO_PASS_REASONS, // of the artifact
  'ungated-policy', // the gate has not looked at the policy
  'ungated-threshold', // the request named another threshold than the gated one
  'downgraded', // the policy's choice cannot take the request; a cheaper candidate did
  'other-models', // stale: the router learned from other models than it serves
  'expired',
] as const;

export type UngatedReason = (typeof UNGATED_REASONS)[number];

/** What may be claimed of one decision. `ungatedReason` is null for PASS alone. */
export interface VerdictClaim {
  readonly verdict: PolicyVerdict;
  readonly ungatedReason: UngatedReason | null;
}

/** How a decision came about, as far as the verdict depends on it. */
export interface Circumstances {
  /** Learned from other models than those it chose among. */
  readonly stale: boolean;
  /** The threshold is not the policy's own. */
  readonly otherThreshold: boolean;
  /** A cheaper rung than the policy's choice was taken. */
  readonly downgraded: boolean;
}

/** What the gate's verdict on an artifact says of each policy that serves, at the time of the call. */
export interface PolicyVerdicts {
  /** The standing of the artifact's own policy over a ladder that is stale, or not. */
  standing(stale: boolean): Standing;
  /**
   * Called for each decision: it reads the clock once. always-strong is PASS without a gate, whatever the router learned from: it loses
   * nothing against itself. So does a choice that moved up.
   */
  of(policy: Policy, circumstances: Circumstances): VerdictClaim;
}

const PASS: VerdictClaim = { verdict: 'PASS', ungatedReason: null };
const EXPIRED: VerdictClaim = { verdict: 'expired', ungatedReason: 'expired' };
const STALE: VerdictClaim = { verdict: 'stale', ungatedReason: 'other-models' };
const DOWNGRADED = none('downgraded');
const UNGATED_POLICY = none('ungated-policy');
const UNGATED_THRESHOLD = none('ungated-threshold');

function none(ungatedReason: UngatedReason): VerdictClaim {
  return { verdict: 'none', ungatedReason };
}

export function policyVerdicts(
  standing: Standing,
  { folder, manifest }: Pick<ArtifactFiles, 'folder' | 'manifest'>,
  nowMs: () => number,
): PolicyVerdicts {
  const withoutPass = standing.kind === 'none' ? none(standing.reason) : undefined;
  const expiresMs = standing.kind === 'none' ? 0 : Date.parse(standing.expires);
  const gated = manifest.policy.name;

  return {
    standing(stale) {
      const now = standingAt(standing, nowMs(), folder);
      return stale ? staleStanding(now) : now;
    },
    of({ name }, { stale, otherThreshold, downgraded }) {
      if (downgraded) return DOWNGRADED;
      if (name === ALWAYS_STRONG.name) return PASS;
      if (name !== gated) return UNGATED_POLICY;
      if (otherThreshold) return UNGATED_THRESHOLD;
      if (withoutPass !== undefined) return withoutPass;
      if (stale) return STALE;
      return nowMs() < expiresMs ? PASS : EXPIRED;
    },
  };
}

/** A PASS is of the models that the router learned from. */
function staleStanding(standing: Standing): Standing {
  if (standing.kind === 'none') return standing;
  const { suite, threshold, issued, expires } = standing;
  const why = `The PASS by the suite ${suite} is of other models than this router serves. Train on the served models and gate that, or name the learned ones under ladder.`;
  return { kind: 'stale', suite, threshold, issued, expires, why };
}
