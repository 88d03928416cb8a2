/** What serves, compared with what the gate certified: drift of the requests, and audits of replies that stayed cheap. */
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
export {
  describePopulation,
  featureNames,
  featureValues,
  type Population,
  populationSchema,
} from './population.ts';
export { openWatch, type Watch, type WatchAlarm, type WatchStatus } from './watch.ts';
