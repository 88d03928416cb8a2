export { chooseRung, predictedLoss } from './choose-rung.ts';
export {
  CHOICE_REASONS,
  type ChoiceReason,
  type Choosing,
  choose,
  type Policy,
  type PolicyReference,
} from './policy.ts';
export {
  POLICY_VERDICTS,
  type PolicyVerdict,
  policyVerdicts,
  UNGATED_REASONS,
  type UngatedReason,
} from './policy-verdicts.ts';
export { servedPolicies } from './served-policies.ts';
