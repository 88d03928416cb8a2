import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { PlimsollError, systemErrorCode } from '../errors.ts';
import { realPlace } from './replace-file.ts';
import { namesIn, removed, stateOf, thisProcess } from './temporary.ts';
import { writeAll, writeFailure } from './write.ts';

/** How long a command waits for another one. */
const WAIT_MS = 10_000;
const LOOK_EVERY_MS = 20;
/** What is done under a lock takes milliseconds. If we cannot look whether its process runs, the lock ends by itself after this. */
const EXPIRES_AFTER_MS = 60_000;
/** A lock is empty for the instant between its making and its first byte. */
const EMPTY_FOR_MS = 2_000;
/** In bytes; what is larger is no lock of ours. */
const LARGEST = 64 * 2 ** 10;

const lockSchema = z.object({
  token: z.string().regex(/^[0-9a-f]{12}$/),
  machine: z.string(),
  pid: z.int().positive(),
  started: z.int(),
  host: z.string(),
  at: z.iso.datetime(),
});

/** The content of a lock. `token` is different in every one. */
type Lock = z.infer<typeof lockSchema>;

/**
 * Does work on a file or folder while no other command does: reading, changing and writing it again would otherwise lose one of two
 * changes. The lock, `.<name>.lock` in the same folder, names its process: one that a killed command left is taken over at once, one of
 * another machine after a minute. Waits up to ten seconds. Not to be nested on the same place.
 * @throws PlimsollError `io` if another command keeps it, or the lock cannot be written; and what the work throws
 */
export function withLock<T>(place: string, work: () => T, waitMs = WAIT_MS): T {
  const target = realPlace(place);
  const file = path.join(path.dirname(target), `.${path.basename(target)}.lock`);
  const token = acquired(file, place, performance.now() + waitMs);
  try {
    sweepRights(file);
    return work();
  } finally {
    release(file, token);
  }
}

/**
 * Keeps the lock of a file or folder for long work, such as a run that must not go on twice at once. One that a killed command left is taken
 * over at once; one of another machine after a minute, so that two machines must not share the place.
 * @returns releases it
 * @throws PlimsollError `io` at once if another command keeps it, or the lock cannot be written
 */
export function holdLock(place: string): () => void {
  const target = realPlace(place);
  const file = path.join(path.dirname(target), `.${path.basename(target)}.lock`);
  const token = acquired(file, place, performance.now());
  sweepRights(file);
  return () => release(file, token);
}

function acquired(file: string, place: string, deadline: number): string {
  for (;;) {
    const token = made(file, place);
    if (token !== undefined) return token;
    const found = read(file);
    if (found?.over) takeAway(file, found.token, place, deadline);
    else if (performance.now() >= deadline) throw heldBy(found, place, file);
    else if (found !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
  }
}

/**
 * Removes the lock of a process that is gone. Two commands may find it at once, and the slower one must not remove the lock that the
 * faster one has made since: only who holds a further lock, named after the old one's token, may remove the old one.
 */
function takeAway(file: string, token: string, place: string, deadline: number): void {
  const right = `${file}.${token}`;
  const own = acquired(right, place, deadline);
  try {
    if (read(file)?.token === token) rmSync(file, { force: true });
  } catch (cause) {
    throw writeFailure(place, place, cause);
  } finally {
    release(right, own);
  }
}

/** What follows a lock's name in those of the rights to remove it, and of the rights to remove these: a token each. */
const RIGHTS = /^(\.([0-9a-f]{12}|unreadable-\d+))+$/;

/**
 * Removes what commands left that were killed while they took a lock over. To be called by whoever holds the lock: each such right is for an
 * earlier one that is gone, and whoever has just got one finds that out.
 */
function sweepRights(file: string): void {
  const folder = path.dirname(file);
  const lock = path.basename(file);
  for (const name of namesIn(folder)) {
    if (name.startsWith(lock) && RIGHTS.test(name.slice(lock.length))) removed(path.join(folder, name));
  }
}

/** The token of a new lock; undefined if there is one already. */
function made(file: string, place: string): string | undefined {
  const token = randomBytes(6).toString('hex');
  const lock: Lock = { token, ...thisProcess(), host: hostname(), at: new Date().toISOString() };
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx', 0o644);
  } catch (cause) {
    if (systemErrorCode(cause) === 'EEXIST') return undefined;
    throw writeFailure(place, place, cause);
  }
  try {
    writeAll(descriptor, `${JSON.stringify(lock)}\n`);
    return token;
  } catch (cause) {
    rmSync(file, { force: true });
    throw writeFailure(place, place, cause);
  } finally {
    closeSync(descriptor);
  }
}

function release(file: string, token: string): void {
  try {
    if (read(file)?.token === token) rmSync(file, { force: true });
  } catch {} // it names this process, which ends soon
}

interface Found {
  readonly token: string;
  /** Its process is gone, or its time is over. */
  readonly over: boolean;
  readonly lock?: Lock;
}

/** Undefined if there is no lock. */
function read(file: string): Found | undefined {
  try {
    const { mtimeMs, ino, size } = statSync(file);
    const parsed = lockSchema.safeParse(size > LARGEST ? undefined : jsonOf(readFileSync(file, 'utf8')));
    if (!parsed.success) return { token: `unreadable-${ino}`, over: olderThan(mtimeMs, EMPTY_FOR_MS) };
    const lock = parsed.data;
    const state = stateOf(lock);
    const over =
      state === 'gone' || (state === 'elsewhere' && olderThan(Date.parse(lock.at), EXPIRES_AFTER_MS));
    return { token: lock.token, over, lock };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw writeFailure(file, file, error);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Clocks of two machines differ, and one that is far ahead must not hold a lock for ever. */
function olderThan(sinceMs: number, ms: number): boolean {
  return Math.abs(Date.now() - sinceMs) > ms;
}

function heldBy(found: Found | undefined, place: string, file: string): PlimsollError {
  const lock = found?.lock;
  const who = lock ? `process ${lock.pid} on ${lock.host}, since ${lock.at}` : 'an unknown process';
  return new PlimsollError(
    'io',
    `Another command is changing ${place}: ${who} (${file}). Wait until it is done, or end it, and run this again.`,
    { place: { file } },
  );
}
