import type { Manifest } from '../artifact/index.ts';
import { PlimsollError } from '../errors.ts';
import { ALWAYS_CHEAP, ALWAYS_STRONG, type Policy, type PolicyBook, policyBook } from './policy.ts';

export interface PolicyOptions {
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
export function servedPolicies(options: PolicyOptions, { policy }: Pick<Manifest, 'policy'>): PolicyBook {
  const { name, version, threshold } = policy;
  const own: Policy = { kind: 'threshold', name, version, threshold };
  const further = Object.entries(options.policies).map(
    ([key, value]): Policy => ({ kind: 'threshold', name: key, ...value }),
  );
  if (options.allowUngated) return policyBook([own, ...further, ALWAYS_CHEAP, ALWAYS_STRONG]);
  refuseUngated(options, further[0]);
  return policyBook([own, ALWAYS_STRONG], [ALWAYS_CHEAP.name]);
}

function refuseUngated({ defaultPolicy: byDefault }: PolicyOptions, further: Policy | undefined): void {
  if (further) {
    throw new PlimsollError(
      'ungated',
      `policies.${further.name} of the configuration has not passed the gate. Give its threshold to an artifact of its own (\`plimsoll calibrate\`) and gate that, or set allow_ungated: true.`,
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
