/** Recorded requests under a changed configuration: which would go elsewhere, and what that changes. */
export { type PlanOptions, plan } from './plan.ts';
export { type CasePlan, planCases } from './plan-cases.ts';
export { casePlanReport, planMarkdown, planText } from './plan-report.ts';
export type { BeforeAfter, Move, Plan } from './plan-tally.ts';
export type { QuotaUse } from './quota-use.ts';
export { decisionRecordsOf, hasCases, storedDecisionRecords } from './recorded-decisions.ts';
export type { MeanInterval } from './running-mean.ts';
export type { UnknownReason } from './undecidable.ts';
export { storedWorkOfPeople, type WorkOfPeople, workOfPeopleIn } from './work-of-people.ts';
