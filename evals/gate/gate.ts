import {
  type Condition,
  type Manifest,
  sealedVerdict,
  type Verdict,
  type VerdictContent,
  worstOf,
} from '../../router/artifact/index.ts';
import { VERSION } from '../../router/package.ts';
import { asCalibratedCondition } from './conditions/as-calibrated.ts';
import { beatsRandomCondition } from './conditions/beats-random.ts';
import { calibrationConditions } from './conditions/calibration.ts';
import { escalationRateCondition } from './conditions/escalation-rate.ts';
import { flipRateConditions } from './conditions/flip-rate.ts';
import { hardCaseConditions } from './conditions/hard-cases.ts';
import { qualityLossCondition } from './conditions/quality-loss.ts';
import { silentDowngradesCondition } from './conditions/silent-downgrades.ts';
import { sliceConditions } from './conditions/slices.ts';
import type { Subject } from './conditions/subject.ts';
import type { Evidence } from './evidence.ts';

/** Where the subject came from: what a verdict must name to be bound to it. */
export interface Provenance {
  readonly artifact: VerdictContent['artifact'];
  readonly policy: Manifest['policy'];
  readonly suite: VerdictContent['suite'];
  readonly sealed: VerdictContent['sealed'];
  /** ISO time. */
  readonly issued: string;
}

/** Every condition that the suite sets, in the order of the reports. */
export function conditionsOf(subject: Subject, chosenBy: Manifest['policy']['chosen_by']): Condition[] {
  return [
    qualityLossCondition(subject),
    escalationRateCondition(subject),
    ...beatsRandomCondition(subject),
    ...silentDowngradesCondition(subject),
    ...sliceConditions(subject),
    ...hardCaseConditions(subject),
    ...flipRateConditions(subject),
    ...calibrationConditions(subject),
    ...asCalibratedCondition(subject, chosenBy),
  ];
}

/**
 * The verdict: PASS where every condition passes, else the worst of them. A policy that is unfit passes with probability at most
 * 1 - confidence, for it would have to pass the very condition that it breaks; how many others there are does not matter
 * (an intersection-union test: Berger, Technometrics 24, 1982).
 */
export function verdictOf(subject: Subject, evidence: Evidence, provenance: Provenance): Verdict {
  const { name, version, threshold, chosen_by: chosenBy } = provenance.policy;
  const conditions = conditionsOf(subject, chosenBy);
  return sealedVerdict({
    schema_version: 1,
    verdict: worstOf(conditions.map(({ verdict }) => verdict)),
    issued: provenance.issued,
    valid_for_days: subject.suite.valid_for_days,
    artifact: provenance.artifact,
    policy: { name, version, threshold },
    suite: provenance.suite,
    sealed: provenance.sealed,
    conditions,
    evidence,
    tools: { plimsoll: VERSION },
  });
}
