import type { AbortSignalLike } from '../abort-signal.ts';
import { PlimsollError, quoted } from '../errors.ts';
import { risingId } from '../rising-id.ts';
import type { Documents } from '../state/index.ts';
import {
  type DeskOptions,
  type NewTask,
  type PeopleTask,
  type PersonReply,
  wasClaimed,
  workedMs,
} from './task.ts';
import {
  isOpen,
  mayAnswer,
  noSuchTask,
  type Person,
  queueFull,
  requireOpen,
  requireReadable,
  requireText,
} from './task-checks.ts';
import { type StoredTask, TaskStore, unreadable } from './task-store.ts';
import { Waiting } from './waiting.ts';
import { openWebhooks, type Webhooks } from './webhook.ts';

/** What a task came to. */
export interface EndedTask {
  readonly task: PeopleTask;
  /** `late`, `withdrawn`: the deadline passed or the client left, and nobody got a reply. */
  readonly outcome: 'answered' | 'late' | 'withdrawn';
  /** At work on it; paid for, whatever the outcome. */
  readonly minutes: number;
  readonly costUsd: number;
  readonly atMs: number;
}

export interface PeopleParts {
  readonly documents: Documents;
  /** Once for each task, when it ends. Resolves when it is booked; must not throw. */
  readonly onEnded: (ended: EndedTask) => Promise<void>;
  /** A webhook could not be told of a task. */
  readonly onUndelivered: (people: string, why: string) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How often tasks are looked for that nobody can answer any more. Default 30,000. */
  readonly sweepMs?: number;
}

/** Requests that people answer. */
export interface People {
  /** @throws PlimsollError `invalid-config` if the secret or the address of a webhook is missing or wrong */
  configure(desks: Readonly<Record<string, DeskOptions>>): void;
  desk(people: string): DeskOptions | undefined;
  readonly names: () => readonly string[];
  /** @throws PlimsollError `queue-full`, `too-large` */
  open(task: NewTask): Promise<PeopleTask>;
  /** Waits until somebody replied, the deadline passed, or the client left, which withdraws it. */
  wait(task: PeopleTask, signal: AbortSignalLike): Promise<PeopleTask>;
  /** What waits, the oldest first, over all desks or at one. @throws PlimsollError `not-found` if there is no such desk */
  waiting(person: Person, people?: string): Promise<readonly PeopleTask[]>;
  /** @throws PlimsollError `not-found` */
  task(id: string, person: Person): Promise<PeopleTask>;
  /** Takes a task, or keeps it for longer. @throws PlimsollError `not-found`, `conflict` if somebody else has it, `too-late` */
  claim(id: string, person: Person): Promise<PeopleTask>;
  /** Gives a task back. @throws PlimsollError as `claim` does */
  release(id: string, person: Person): Promise<PeopleTask>;
  /** The first reply counts. @throws PlimsollError as `claim` does, `conflict` if there is a reply already */
  answer(id: string, text: string, person: Person, via: PersonReply['via']): Promise<PeopleTask>;
  /** A reply by a signed message. @throws PlimsollError `forbidden`, `conflict` if it was sent before, and as `answer` does */
  answerSigned(people: string, headers: MessageHeaders, body: string): Promise<PeopleTask>;
  /** The client's own task. @throws PlimsollError `not-found` */
  ofClient(id: string, keyId: string | undefined): Promise<PeopleTask>;
  now(): number;
  /** Ends the requests that wait here; resolves when their work is booked. */
  close(): Promise<void>;
}

export type MessageHeaders = Parameters<Webhooks['verify']>[1];

/** How often a write to one task is tried while others write to it too. */
const MAX_TRIES = 5;
const LISTED = 1_000;
const SWEEP_MS = 30_000;
const MINUTE_MS = 60_000;

export function openPeople(parts: PeopleParts): People {
  const { documents, onEnded, now = Date.now, sweepMs = SWEEP_MS } = parts;
  const store = new TaskStore(documents);
  const webhooks = openWebhooks(parts.onUndelivered, now);
  let desks = new Map<string, DeskOptions>();
  const waiting = new Waiting(async (ids, mayHold) => {
    const tasks = await store.getMany(ids);
    const waits = tasks.filter(({ status }) => status === 'waiting');
    if (mayHold) await store.hold(waits, now(), keptFor);
    const isWaiting = new Set(waits.map(({ id }) => id));
    return ids.filter((id) => !isWaiting.has(id));
  });
  /** What has to be over before the state closes. */
  const atWork = new Set<Promise<unknown>>();
  const adding = new Map<string, Promise<unknown>>();
  let isClosed = false;
  const timer = setInterval(() => void tracked(sweep([...desks.keys()])).catch(() => {}), sweepMs).unref();

  function tracked<T>(work: Promise<T>): Promise<T> {
    atWork.add(work);
    const done = () => atWork.delete(work);
    work.then(done, done);
    return work;
  }

  /** One after the other at a desk: counting what waits and adding to it is then one step in this process. */
  function inTurn<T>(people: string, add: () => Promise<T>): Promise<T> {
    const added = (adding.get(people) ?? Promise.resolve()).then(add);
    adding.set(
      people,
      added.catch(() => {}),
    );
    return added;
  }

  function deskOf(people: string): DeskOptions {
    const desk = desks.get(people);
    if (desk !== undefined) return desk;
    throw new PlimsollError('not-found', `There are no people "${quoted(people)}" here.`);
  }

  async function found(id: string, person: Person): Promise<StoredTask> {
    const stored = await current(id);
    if (stored !== undefined && mayAnswer(person, stored.task)) return stored;
    throw noSuchTask();
  }

  /** A task as it is now: one that nobody can answer any more is ended, and the work on it paid for. */
  async function current(id: string): Promise<StoredTask | undefined> {
    const stored = await store.get(id);
    if (stored?.task.status !== 'waiting') return stored;
    const isLate = now() >= stored.task.deadlineMs;
    if (!isLate && (await store.isHeld(stored.task, now()))) return stored;
    await endUnanswered(stored, isLate ? 'late' : 'withdrawn');
    return store.get(id);
  }

  /** Ends what nobody can answer any more. Instances may do so at once: of each task one write counts. */
  async function sweep(names: readonly string[]): Promise<void> {
    for (const people of names)
      for (const id of await store.over(people, now(), LISTED)) {
        const ended = await current(id).catch(unreadable);
        if (ended?.task.status !== 'waiting') await store.close(people, id);
      }
  }

  function keptFor(task: PeopleTask): number {
    const { keepMs = 0 } = desks.get(task.people) ?? {};
    return Math.max(1, task.deadlineMs - now() + keepMs);
  }

  /** Changes a task that waits, by what it is now. */
  async function change(
    id: string,
    person: Person,
    changed: (task: PeopleTask) => PeopleTask,
  ): Promise<PeopleTask> {
    for (let tried = 0; tried < MAX_TRIES; tried++) {
      const stored = await found(id, person);
      const { task } = stored;
      requireOpen(task, person, now());
      const wanted = changed(task);
      if (await store.change(stored, wanted, keptFor(task))) return wanted;
    }
    throw new PlimsollError('conflict', 'Others write to this task at the same moment. Try again.');
  }

  /** Work that came to nothing is paid for, once. @returns the task as it is then; undefined if somebody else wrote it first */
  async function endUnanswered(
    stored: StoredTask,
    outcome: 'late' | 'withdrawn',
  ): Promise<PeopleTask | undefined> {
    const ended = { ...stored.task, status: outcome };
    const atMs = Math.min(now(), ended.deadlineMs);
    const minutes = workedMs(ended, atMs) / MINUTE_MS;
    if (!(await store.change(stored, ended, keptFor(ended)))) return undefined;
    const costUsd = minutes * (desks.get(ended.people)?.costPerMinuteUsd ?? 0);
    void tracked(onEnded({ task: ended, outcome, minutes, costUsd, atMs }));
    return ended;
  }

  async function answer(id: string, text: string, person: Person, via: PersonReply['via']) {
    requireText(text);
    const task = await change(id, person, (current) => {
      const atMs = now();
      const { costPerMinuteUsd, minutes: usual } = deskOf(current.people);
      const minutes = wasClaimed(current) ? workedMs(current, atMs) / MINUTE_MS : usual;
      const reply = { text, by: person.name, via, atMs, minutes, costUsd: minutes * costPerMinuteUsd };
      return { ...current, status: 'answered', reply };
    });
    waiting.wake(id);
    const { minutes, costUsd, atMs } = task.reply!;
    void tracked(onEnded({ task, outcome: 'answered', minutes, costUsd, atMs }));
    return task;
  }

  async function waitFor(task: PeopleTask, signal: AbortSignalLike): Promise<PeopleTask> {
    if (!isClosed) await waiting.until(task.id, task.deadlineMs - now(), signal);
    const stored = await store.get(task.id);
    if (stored === undefined) return { ...task, status: 'withdrawn' };
    if (stored.task.status !== 'waiting') return stored.task;
    const ended = await endUnanswered(stored, signal.aborted || isClosed ? 'withdrawn' : 'late');
    return ended ?? (await store.get(task.id))?.task ?? { ...task, status: 'withdrawn' };
  }

  return {
    configure(changed) {
      webhooks.configure(changed);
      desks = new Map(Object.entries(changed));
    },
    desk: (people) => desks.get(people),
    names: () => [...desks.keys()],
    now,
    async open(wanted) {
      const desk = deskOf(wanted.people);
      requireReadable(wanted);
      const atMs = now();
      const task: PeopleTask = {
        ...wanted,
        id: `task_${risingId(atMs)}`,
        createdMs: atMs,
        deadlineMs: atMs + desk.deadlineMs,
        status: 'waiting',
        workedMs: 0,
      };
      await inTurn(task.people, async () => {
        if (await store.isFull(task.people, desk.maxWaiting)) {
          await sweep([task.people]);
          if (await store.isFull(task.people, desk.maxWaiting)) throw queueFull(task.people, desk);
        }
        await store.add(task, keptFor(task), atMs);
      });
      webhooks.tell(task);
      return task;
    },
    wait: (task, signal) => tracked(waitFor(task, signal)),
    async waiting(person, people) {
      const asked = people === undefined ? [...desks.keys()] : [people];
      for (const one of asked) deskOf(one);
      await sweep(asked);
      const tasks = await Promise.all(asked.map((one) => store.waiting(one, LISTED)));
      return tasks
        .flat()
        .filter((task) => mayAnswer(person, task) && isOpen(task, now()))
        .sort((a, b) => a.createdMs - b.createdMs);
    },
    task: async (id, person) => (await found(id, person)).task,
    claim(id, person) {
      return change(id, person, (task) => {
        const atMs = now();
        const { claimMs } = deskOf(task.people);
        const untilMs = Math.min(task.deadlineMs, atMs + claimMs);
        const { claim } = task;
        const isSame = claim?.by === person.name && atMs < claim.untilMs;
        if (isSame) return { ...task, claim: { ...claim, untilMs } };
        return { ...task, workedMs: workedMs(task, atMs), claim: { by: person.name, atMs, untilMs } };
      });
    },
    release(id, person) {
      return change(id, person, ({ claim: _, ...task }) => ({
        ...task,
        workedMs: workedMs({ ...task, claim: _ }, now()),
      }));
    },
    answer,
    async answerSigned(people, headers, body) {
      deskOf(people);
      const message = webhooks.verify(people, headers, body);
      const task = await store.get(message.taskId);
      if (task === undefined || task.task.people !== people) throw noSuchTask();
      const messageId = `${people}/${message.id}`;
      if (await store.knowsMessage(messageId)) {
        throw new PlimsollError('conflict', 'This message was sent before: its webhook-id is known.');
      }
      const sender = { name: `webhook of ${people}`, team: undefined };
      const answered = await answer(message.taskId, message.text, sender, 'webhook');
      // Only now: a message that was refused may be sent again. Of the same message twice at once, the task takes one.
      await store.rememberMessage(messageId, message.replayMs).catch(() => {}); // the task refuses a second reply anyway
      return answered;
    },
    async ofClient(id, keyId) {
      const stored = await current(id);
      if (stored !== undefined && stored.task.keyId === keyId) return stored.task;
      throw noSuchTask();
    },
    async close() {
      isClosed = true;
      clearInterval(timer);
      waiting.close();
      webhooks.close();
      while (atWork.size > 0) await Promise.allSettled(atWork);
    },
  };
}
