/** Requests that people answer: the queue, who has which task, replies, webhooks. */
export { clientReply, pendingReply } from './client-reply.ts';
export { type EndedTask, openPeople, type People } from './people.ts';
export { plainReply, streamedReply } from './reply.ts';
export {
  type DeskOptions,
  type NewTask,
  type PeopleTask,
  REPLY_MODES,
  type ReplyMode,
  statusOf,
} from './task.ts';
export type { Person } from './task-checks.ts';
export { type WorkRecord, workRecord, workRecordFrom } from './work-record.ts';
