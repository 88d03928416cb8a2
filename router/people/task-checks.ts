import { PlimsollError } from '../errors.ts';
import { type DeskOptions, type NewTask, type PeopleTask, statusOf } from './task.ts';

/** Who answers: an API key or another visitor. With a team only the tasks of clients of this team are there. */
export interface Person {
  readonly name: string;
  readonly team: string | undefined;
}

/** Characters of the JSON that a client sent: a person reads it, and the state keeps it. */
const MAX_BODY_CHARACTERS = 1_000_000;
const MAX_REPLY_CHARACTERS = 100_000;

/** A key of a team sees what clients of this team asked; one without a team sees all. */
export function mayAnswer({ team }: Person, task: PeopleTask): boolean {
  return team === undefined || task.team === team;
}

export function isOpen(task: PeopleTask, nowMs: number): boolean {
  const status = statusOf(task, nowMs);
  return status === 'waiting' || status === 'claimed';
}

/** @throws PlimsollError `conflict` or `too-late` */
export function requireOpen(task: PeopleTask, { name }: Person, nowMs: number): void {
  const status = statusOf(task, nowMs);
  if (status === 'answered')
    throw new PlimsollError('conflict', 'This task has a reply already: the first one counts.');
  if (status === 'withdrawn') throw new PlimsollError('too-late', 'The client of this task has left.');
  if (status === 'late')
    throw new PlimsollError('too-late', 'The deadline of this task has passed: nobody waits for a reply.');
  if (status === 'claimed' && task.claim?.by !== name) {
    const until = new Date(task.claim!.untilMs).toISOString();
    throw new PlimsollError('conflict', `Somebody else has this task until ${until}.`);
  }
}

export function noSuchTask(): PlimsollError {
  return new PlimsollError('not-found', 'There is no such task here.');
}

export function requireText(text: string): void {
  const fault =
    text.trim() === ''
      ? 'is empty: write the reply that the client gets'
      : text.length > MAX_REPLY_CHARACTERS
        ? `has more than ${MAX_REPLY_CHARACTERS} characters`
        : undefined;
  if (fault === undefined) return;
  throw new PlimsollError('invalid-input', `text ${fault}.`, { place: { field: 'text' } });
}

/** A person reads text, and writes text. */
export function requireReadable({ people, body }: NewTask): void {
  const { length } = JSON.stringify(body);
  if (length <= MAX_BODY_CHARACTERS) return;
  throw new PlimsollError(
    'too-large',
    `The request has ${length} characters, and people of ${people} get at most ${MAX_BODY_CHARACTERS}. Send less.`,
  );
}

export function queueFull(people: string, { maxWaiting }: DeskOptions): PlimsollError {
  return new PlimsollError(
    'queue-full',
    `${maxWaiting} requests wait for the people of ${people} already, as many as people.${people}.max_waiting allows. Try again later.`,
  );
}
