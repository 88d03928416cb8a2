import {
  type ArtifactFiles,
  contradictedStanding,
  type Manifest,
  NO_PASS_REASONS,
  type Standing,
  standingAt,
} from '../artifact/index.ts';
import { PlimsollError } from '../errors.ts';
import { COMMAND } from '../package.ts';
import { ALWAYS_CHEAP, ALWAYS_STRONG, type Policy, type PolicyBook, policyBook } from './policy.ts';

interface PolicyOptions {
  /** Decides requests that name no policy. */
  readonly defaultPolicy: string;
  /** Policies besides the artifact's own, by name. */
  readonly policies: Readonly<Record<string, { readonly threshold: number; readonly version: number }>>;
  /** Also policies without a valid PASS of the gate may decide. */
  readonly allowUngated: boolean;
}

/**
 * The policies that may decide: the artifact's own, which is the one that the gate looks at, and always-strong, which loses
 * nothing against itself. With `allow_ungated` also those of the configuration, and always-cheap.
 * @throws PlimsollError `ungated` if the configuration counts on a policy that has not passed the gate.
 */
export function servedPolicies(
  options: PolicyOptions,
  { policy, cascade }: Pick<Manifest, 'policy' | 'cascade'>,
): PolicyBook {
  const { name, version, threshold } = policy;
  const own: Policy =
    cascade === undefined
      ? { kind: 'threshold', name, version, threshold }
      : { kind: 'cascade', name, version, threshold, ...limitsOf(cascade) };
  const further = Object.entries(options.policies).map(
    ([key, value]): Policy => ({ kind: 'threshold', name: key, ...value }),
  );
  if (options.allowUngated) return policyBook([own, ...further, ALWAYS_CHEAP, ALWAYS_STRONG]);
  refuseUngated(options, further[0]);
  return policyBook([own, ALWAYS_STRONG], [ALWAYS_CHEAP.name]);
}

/** Without the judges: a policy compares numbers. */
function limitsOf({ skip, path, middle }: NonNullable<Manifest['cascade']>) {
  return {
    skip,
    path,
    ...(middle && { middle: middle.map((rung) => ({ skip: rung.skip, path: rung.path })) }),
  };
}

function refuseUngated({ defaultPolicy: byDefault }: PolicyOptions, further: Policy | undefined): void {
  if (further) {
    throw new PlimsollError(
      'ungated',
      `policies.${further.name} of the configuration has not passed the gate. Give its threshold to an artifact of its own (\`${COMMAND} calibrate\`) and gate that, or set allow_ungated: true.`,
      { place: { field: `policies.${further.name}` } },
    );
  }
  if (byDefault !== ALWAYS_CHEAP.name) return;
  throw new PlimsollError(
    'ungated',
    `default_policy: ${byDefault} has not passed the gate. Take the artifact's own policy or ${ALWAYS_STRONG.name}, or set allow_ungated: true.`,
    { place: { field: 'default_policy' } },
  );
}

/** What the gate's verdict is worth for a decision. The one list of these words, for decisions, headers, logs and metrics. */
export const POLICY_VERDICTS = ['PASS', 'expired', 'stale', 'contradicted', 'none'] as const;

export type PolicyVerdict = (typeof POLICY_VERDICTS)[number];

/** Why a verdict is not PASS. */
export const UNGATED_REASONS = [
  ...NO_PASS_REASONS, // of the artifact
  'ungated-policy', // the gate has not looked at the policy
  'ungated-threshold', // the request named another threshold than the gated one
  'lower-turn', // the results of tools went to a cheaper rung than the policy's choice: the one that called them
  'specialist-left-out', // the policy's choice is a specialist for another task; neither it nor the strongest candidate took the request
  'rule', // a rule of the configuration chose a cheaper rung than the policy's choice, or one without asking it
  'too-slow', // the policy's choice was expected to be too slow; a cheaper candidate replied
  'downgraded', // the policy's choice could not take the request, or failed; a cheaper candidate took it
  'other-models', // stale: the router learned from other models than it serves
  'expired',
  'contradicted', // audits of live requests speak against it
] as const;

export type UngatedReason = (typeof UNGATED_REASONS)[number];

/** What may be claimed of one decision. `ungatedReason` is null for PASS alone. */
interface VerdictClaim {
  readonly verdict: PolicyVerdict;
  readonly ungatedReason: UngatedReason | null;
}

/** How a decision came about, as far as the verdict depends on it. */
interface Circumstances {
  /** Learned from other models than those it chose among. */
  readonly stale: boolean;
  /** The threshold is not the policy's own. */
  readonly otherThreshold: boolean;
  /** Why another rung than the policy's choice was taken that the gate does not answer for; undefined if none was. */
  readonly lowered: keyof typeof LOWERED | undefined;
}

/** What the gate's verdict on an artifact says about each policy that serves, at the time of the call. */
interface PolicyVerdicts {
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
const CONTRADICTED: VerdictClaim = { verdict: 'contradicted', ungatedReason: 'contradicted' };
const STALE: VerdictClaim = { verdict: 'stale', ungatedReason: 'other-models' };
/** For a decision whose request went to a cheaper candidate than the chosen one. */
export const DOWNGRADED = { verdict: 'none', ungatedReason: 'downgraded' } as const satisfies VerdictClaim;
const LOWERED = {
  downgraded: DOWNGRADED,
  rule: none('rule'),
  'lower-turn': none('lower-turn'),
  'specialist-left-out': none('specialist-left-out'),
  'too-slow': none('too-slow'),
  'other-sessions': none('other-sessions'),
};
const UNGATED_POLICY = none('ungated-policy');
const UNGATED_THRESHOLD = none('ungated-threshold');

function none(ungatedReason: UngatedReason): VerdictClaim {
  return { verdict: 'none', ungatedReason };
}

/** @param contradiction why audits speak against the verdict; undefined if they do not */
export function policyVerdicts(
  standing: Standing,
  { folder, manifest }: Pick<ArtifactFiles, 'folder' | 'manifest'>,
  nowMs: () => number,
  contradiction: () => string | undefined = () => undefined,
): PolicyVerdicts {
  const withoutPass = standing.kind === 'none' ? none(standing.reason) : undefined;
  const expiresMs = standing.kind === 'none' ? 0 : Date.parse(standing.expires);
  const gated = manifest.policy.name;

  return {
    standing(stale) {
      const now = standingAt(standing, nowMs(), folder);
      if (stale) return staleStanding(now);
      const why = contradiction();
      return why === undefined ? now : contradictedStanding(now, why);
    },
    of({ name }, { stale, otherThreshold, lowered }) {
      if (lowered !== undefined) return LOWERED[lowered];
      if (name === ALWAYS_STRONG.name) return PASS;
      if (name !== gated) return UNGATED_POLICY;
      if (otherThreshold) return UNGATED_THRESHOLD;
      if (withoutPass !== undefined) return withoutPass;
      if (stale) return STALE;
      if (nowMs() >= expiresMs) return EXPIRED;
      return contradiction() === undefined ? PASS : CONTRADICTED;
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
