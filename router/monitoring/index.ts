/** What serves, compared with what the gate certified: drift of the requests, how they are shared among the rungs, and audits of replies that stayed cheap. */
export { alarmWebhook } from './alarm-webhook.ts';
export {
  AUDITS,
  type Audit,
  type AuditOptions,
  auditSchema,
  CONTRADICTION_ACTIONS,
  createAuditWatch,
} from './audit-watch.ts';
export { createDriftWatch } from './drift-watch.ts';
export { createIdentityWatch, type IdentityChange, type KnownIdentity } from './identity-watch.ts';
export {
  describePopulation,
  featureNames,
  featureValues,
  type Population,
  populationSchema,
  type ScoredRequest,
} from './population.ts';
export { type ObservedRequest, openWatch, type Watch, type WatchAlarm, type WatchStatus } from './watch.ts';
