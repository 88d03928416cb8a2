import type { Dialect } from '../catalog/index.ts';

/** How a client gets the reply: it polls for it, it waits, or a model replies at once and the person's reply follows. */
export const REPLY_MODES = ['poll', 'wait', 'fallback'] as const;
export type ReplyMode = (typeof REPLY_MODES)[number];

/** People who answer requests: one queue. Times are in ms. */
export interface DeskOptions {
  /** US dollars for a minute at work, 0 or more. */
  readonly costPerMinuteUsd: number;
  /** What a reply usually takes: counts for limits, for comparisons, and for replies of nobody who claimed. */
  readonly minutes: number;
  /** From the request until the reply is too late. */
  readonly deadlineMs: number;
  /** How long a task is kept for whoever claimed it. */
  readonly claimMs: number;
  /** How long a task, with its reply, is kept after its deadline. */
  readonly keepMs: number;
  /** Tasks that may wait at once. */
  readonly maxWaiting: number;
  readonly reply: ReplyMode;
  /** The model that replies with `reply: fallback`, and where `whenLate` says so; undefined: none. */
  readonly fallback?: string | undefined;
  /** What a client that waits gets after the deadline, and every client if the queue is full. */
  readonly whenLate: 'error' | 'fallback';
  readonly webhook?: WebhookOptions | undefined;
}

export interface WebhookOptions {
  /** Name of the environment variable with the address that is told of each task; undefined: nobody is. */
  readonly urlEnv?: string | undefined;
  /** Name of the environment variable with the secret that messages are signed with, both ways. */
  readonly secretEnv: string;
}

/** What a client asked people. */
export interface NewTask {
  /** The desk: `support` of `human/support`. */
  readonly people: string;
  readonly mode: ReplyMode;
  readonly decisionId: string;
  /** Routing or a rule chose people; left out if the client named them. */
  readonly isRouted?: boolean | undefined;
  /** The client's; its own requests alone find the reply. */
  readonly keyId: string | undefined;
  readonly team: string | undefined;
  readonly tags: readonly string[];
  readonly profile: string | undefined;
  readonly dialect: Dialect;
  /** As the client sent it. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Whom it is about, as the client names them: `erase` finds the task by them. */
  readonly user?: string | undefined;
  readonly session?: string | undefined;
}

/** Who has a task, and until when nobody else may answer it. */
export interface Claim {
  /** An API key, or who else is signed in. */
  readonly by: string;
  readonly atMs: number;
  readonly untilMs: number;
}

/** What a person replied. */
export interface PersonReply {
  readonly text: string;
  readonly by: string;
  readonly via: 'api' | 'page' | 'webhook';
  readonly atMs: number;
  /** At work, from claim to reply; the usual ones if nobody claimed the task. */
  readonly minutes: number;
  /** Cost of the minutes. */
  readonly costUsd: number;
}

/** A task as it is stored. `late`: its deadline passed while somebody was at work on it, and the work is paid for. */
export interface PeopleTask extends NewTask {
  readonly id: string;
  readonly createdMs: number;
  readonly deadlineMs: number;
  readonly status: 'waiting' | 'answered' | 'withdrawn' | 'late';
  /** The last one; it may be over. */
  readonly claim?: Claim | undefined;
  /** Time of claims that were given back or ran out. */
  readonly workedMs: number;
  readonly reply?: PersonReply | undefined;
  /** In lists: it is encrypted with a key that is not known here, and has no tags, claim and text. Never stored. */
  readonly isUnreadable?: true;
}

/** How a task stands at a time: `claimed` is waiting, with somebody at work. */
export type TaskStatus = 'waiting' | 'claimed' | 'answered' | 'late' | 'withdrawn';

export function statusOf({ status, deadlineMs, claim }: PeopleTask, nowMs: number): TaskStatus {
  if (status !== 'waiting') return status;
  if (nowMs >= deadlineMs) return 'late';
  return claim !== undefined && nowMs < claim.untilMs ? 'claimed' : 'waiting';
}

/** Ms that people were at work on a task until now: within their claims. */
export function workedMs({ workedMs: before, claim }: PeopleTask, nowMs: number): number {
  return before + (claim === undefined ? 0 : Math.max(0, Math.min(nowMs, claim.untilMs) - claim.atMs));
}

/** Whether anybody ever claimed it. */
export function wasClaimed({ workedMs: before, claim }: PeopleTask): boolean {
  return before > 0 || claim !== undefined;
}
