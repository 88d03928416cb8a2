import { PlimsollError } from '../errors.ts';
import type { Documents } from '../state/index.ts';
import type { PeopleTask, ReplyMode } from './task.ts';

const TASK = 'people-task';
/** A list of what waits at a desk: without texts, so that it is read without decrypting any. The tasks say what is true. */
const OPEN = 'people-open';
/** Plimsoll's own: who answers sees the tasks of many API keys. */
const SCOPE = '';

/** A task with the version that a write has to expect. */
export interface StoredTask {
  readonly task: PeopleTask;
  readonly version: string;
}

/** Tasks as documents of the state, encrypted if texts are. */
export class TaskStore {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  async isFull(people: string, maxWaiting: number): Promise<boolean> {
    return (await this.#documents.list(SCOPE, openAt(people), maxWaiting)).length >= maxWaiting;
  }

  /** @param ttlMs how long it is kept */
  async add(task: PeopleTask, ttlMs: number, nowMs: number): Promise<void> {
    const { id, people, user, session } = task;
    await this.#documents.put(keyOf(id), {
      value: task,
      ttlMs,
      expected: null,
      sensitive: true,
      user,
      session,
    });
    await this.#documents.put(openKey(people, id), { value: openEntry(task, nowMs), ttlMs });
  }

  async get(id: string): Promise<StoredTask | undefined> {
    if (!TASK_ID.test(id)) return undefined;
    const found = await this.#documents.get(keyOf(id));
    return found && { task: found.value as PeopleTask, version: found.version };
  }

  async getMany(ids: readonly string[]): Promise<readonly PeopleTask[]> {
    const found = await this.#documents.getMany(SCOPE, TASK, ids);
    return ids.flatMap((id) => (found.get(id)?.value as PeopleTask | undefined) ?? []);
  }

  /** What waits at a desk, the oldest first. Of a task that cannot be decrypted what the list says. */
  async waiting(people: string, limit: number): Promise<readonly PeopleTask[]> {
    const open = await this.#documents.list(SCOPE, openAt(people), limit);
    const tasks = await this.getMany(open.map(({ id }) => id)).catch(unreadable);
    if (tasks !== undefined) return tasks;
    const all: PeopleTask[] = [];
    for (const { id, value } of open) {
      const task = await this.get(id).then(
        (stored) => stored?.task,
        (error) => unreadable(error) ?? withoutText(people, id, value as OpenEntry),
      );
      if (task !== undefined) all.push(task);
    }
    return all;
  }

  /** The tasks at a desk whose deadline has passed, or for which no server waits any more. */
  async over(people: string, nowMs: number, limit: number): Promise<readonly string[]> {
    const open = await this.#documents.list(SCOPE, openAt(people), limit);
    return open.flatMap(({ id, value }) => {
      const entry = value as OpenEntry | null;
      return entry !== null && (nowMs >= entry.deadlineMs || !isHeld(entry, nowMs)) ? [id] : [];
    });
  }

  /** Whether the server is there that the client of a task waits at; a client that polls needs none. */
  async isHeld({ id, people, mode }: PeopleTask, nowMs: number): Promise<boolean> {
    if (mode !== 'wait') return true;
    const found = await this.#documents.get(openKey(people, id));
    return found !== undefined && isHeld(found.value as OpenEntry, nowMs);
  }

  /** Says that this server still waits for these tasks. What was ended meanwhile stays ended. */
  async hold(
    tasks: readonly PeopleTask[],
    nowMs: number,
    keptFor: (task: PeopleTask) => number,
  ): Promise<void> {
    for (const task of tasks) {
      const key = openKey(task.people, task.id);
      const entry = await this.#documents.get(key);
      if (entry === undefined) continue;
      const value = openEntry(task, nowMs);
      await this.#documents.put(key, { value, ttlMs: keptFor(task), expected: entry.version });
    }
  }

  /** Takes a task off the list of what waits. */
  async close(people: string, id: string): Promise<void> {
    await this.#documents.delete(openKey(people, id));
  }

  /** @returns false if somebody else wrote it first */
  async change({ version }: StoredTask, task: PeopleTask, ttlMs: number): Promise<boolean> {
    const { user, session } = task;
    const write = { value: task, ttlMs, expected: version, sensitive: true, user, session };
    const written = await this.#documents.put(keyOf(task.id), write);
    if (written !== undefined && task.status !== 'waiting') await this.close(task.people, task.id);
    return written !== undefined;
  }

  async knowsMessage(messageId: string): Promise<boolean> {
    return (await this.#documents.get(messageKey(messageId))) !== undefined;
  }

  /** For as long as another message with this id must be refused. */
  async rememberMessage(messageId: string, ttlMs: number): Promise<void> {
    await this.#documents.put(messageKey(messageId), { value: null, ttlMs });
  }
}

/** Others are none, and need no look into the state. */
const TASK_ID = /^task_[\da-f-]{36}$/;

function keyOf(id: string) {
  return { scope: SCOPE, kind: TASK, id };
}

function openKey(people: string, id: string) {
  return { scope: SCOPE, kind: openAt(people), id };
}

/** A task on the list of what waits. */
interface OpenEntry {
  readonly createdMs: number;
  readonly deadlineMs: number;
  readonly mode: ReplyMode;
  readonly decisionId: string;
  readonly team?: string | undefined;
  /** Until then the server that the client waits at is taken to be there; left out if the client does not wait. */
  readonly heldUntilMs?: number;
}

/** A server that waits says so every quarter of it: a database may be away for a while. */
const HELD_MS = 60_000;

function openEntry(task: PeopleTask, nowMs: number): OpenEntry {
  const { createdMs, deadlineMs, mode, decisionId, team } = task;
  const entry = { createdMs, deadlineMs, mode, decisionId, team };
  return mode === 'wait' ? { ...entry, heldUntilMs: nowMs + HELD_MS } : entry;
}

function isHeld({ heldUntilMs }: OpenEntry, nowMs: number): boolean {
  return heldUntilMs === undefined || nowMs < heldUntilMs;
}

function withoutText(people: string, id: string, entry: OpenEntry): PeopleTask {
  const { createdMs, deadlineMs, mode, decisionId, team } = entry;
  return {
    ...{ id, people, createdMs, deadlineMs, mode, decisionId, team },
    ...{ keyId: undefined, profile: undefined, tags: [], dialect: 'openai', body: {} },
    ...{ status: 'waiting', workedMs: 0, isUnreadable: true },
  };
}

/** @throws whatever is not about a text that cannot be decrypted */
export function unreadable(error: unknown): undefined {
  if (error instanceof PlimsollError && error.code === 'invalid-state') return undefined;
  throw error;
}

function messageKey(id: string) {
  return { scope: SCOPE, kind: 'people-message', id };
}

function openAt(people: string): string {
  return `${OPEN}/${people}`;
}
