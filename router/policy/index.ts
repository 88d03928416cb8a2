/** Probabilities -> rung, among the rungs that are allowed; which policies may serve, and what may be claimed of a choice. */
export {
  ALWAYS_STRONG,
  CHOICE_REASONS,
  type ChoiceReason,
  type Choosing,
  choose,
  chooseByRule,
  chooseRung,
  type NoScores,
  type Policy,
  type PolicyBook,
  type PolicyReference,
  predictedLoss,
  type SlowRungs,
} from './policy.ts';
export {
  DOWNGRADED,
  POLICY_VERDICTS,
  type PolicyVerdict,
  policyVerdicts,
  servedPolicies,
  UNGATED_REASONS,
  type UngatedReason,
} from './served-policies.ts';
export type { SessionStay } from './session-stay.ts';
