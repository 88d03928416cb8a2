import { PlimsollError } from '../errors.ts';
import { plainReply } from './reply.ts';
import { type PeopleTask, statusOf } from './task.ts';

/** A response for the client of a task. */
export interface ClientResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

/** 202: where a client finds the reply, and how it stands. */
export function pendingReply(task: PeopleTask, nowMs: number): ClientResponse {
  const url = `/v1/people/replies/${task.id}`;
  const body = {
    id: task.id,
    object: 'people.reply',
    status: statusOf(task, nowMs),
    url,
    deadline_at: new Date(task.deadlineMs).toISOString(),
    decision_id: task.decisionId,
  };
  return { status: 202, headers: { location: url, 'retry-after': String(pollAfterS(task, nowMs)) }, body };
}

/** After a tenth of the time that is left, at least 1 and at most 30 seconds. */
function pollAfterS({ deadlineMs }: PeopleTask, nowMs: number): number {
  return Math.max(1, Math.min(30, Math.round((deadlineMs - nowMs) / 10_000)));
}

/**
 * What a client gets who asks for its reply: 200 with it, 202 while it is to come.
 * @throws PlimsollError `too-late` if it will not come
 */
export function clientReply(task: PeopleTask, nowMs: number): ClientResponse {
  const status = statusOf(task, nowMs);
  const headers = { 'x-plimsoll-decision-id': task.decisionId, 'x-plimsoll-task': task.id };
  if (status === 'waiting' || status === 'claimed') {
    const pending = pendingReply(task, nowMs);
    return { ...pending, headers: { ...headers, ...pending.headers } };
  }
  if (task.reply === undefined) {
    const at = new Date(task.deadlineMs).toISOString();
    throw new PlimsollError(
      'too-late',
      `Nobody replied until ${at}, the deadline of this request. Send it again, or ask a model.`,
    );
  }
  const costUsd = task.reply.costUsd.toFixed(8);
  return {
    status: 200,
    headers: { ...headers, 'x-plimsoll-served': `human/${task.people}`, 'x-plimsoll-cost-usd': costUsd },
    body: plainReply(task).body,
  };
}
