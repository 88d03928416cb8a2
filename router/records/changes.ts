import type { Role } from '../access/index.ts';
import { isObject, parseJson } from '../json/index.ts';
import type { LogRecord, StoredRecord } from '../state/index.ts';

/** The stream of the state with what people changed on the dashboard. */
export const CHANGES = 'changes';

/** Somebody changed something, or tried to. Never a secret, a prompt or a reply. */
export interface Change {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  /** As the page shows it: `key 4f1c…`, `a link`, or the name of an account. */
  readonly who: string;
  /** What they did, as the form is called: `promote`. */
  readonly change: string;
  /** The role that it takes: others do not see it. */
  readonly role: Role;
  /** What it was done to, such as the id of a key; undefined if the text says all. */
  readonly subject?: string | undefined;
  /** Refused: nothing was changed. Failed: it broke off, and the process log may say more. */
  readonly outcome: 'done' | 'refused' | 'failed';
  /** What the page said about it. */
  readonly text: string;
}

/** It names no user: `erase` is for people whom requests are about, and must not take away who changed what. */
export function changeRecord(made: Change, keyId: string | undefined): LogRecord {
  const { id, timeMs, ...rest } = made;
  const body = { schema_version: 1, id, time: new Date(timeMs).toISOString(), ...rest };
  return { id, timeMs, keyId, body: JSON.stringify(body) };
}

/** Undefined if it is no record of this version. */
export function changeFrom({ id, timeMs, body }: StoredRecord): Change | undefined {
  const known = parseJson(body);
  if (!isObject(known) || known['schema_version'] !== 1) return undefined;
  const { who, change, role, subject, outcome, text } = known as unknown as Change;
  return { id, timeMs, who, change, role, subject, outcome, text };
}
