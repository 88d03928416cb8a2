import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { PlimsollError, systemErrorCode } from '../errors.ts';

/** Writes all bytes. The system call may write fewer than it was given, on a disk that fills up for one, without an error. */
export function writeAll(descriptor: number, data: string | Uint8Array): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
}

/** A new file, all of it on the disk. */
export function writeSynced(file: string, data: string | Uint8Array): void {
  const descriptor = openSync(file, 'wx');
  try {
    writeAll(descriptor, data);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Some file systems, and Windows, sync no folders. */
const CANNOT_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR', 'EBADF', 'EACCES']);

/** Makes renames in the folder outlive a power cut. */
export function syncFolder(folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
  } catch (error) {
    if (!CANNOT_SYNC.has(systemErrorCode(error))) throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const RETRY = 'run the command again';

/** What the operating system's codes mean to a person, and what can be done. */
const CAUSES: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ENOSPC: ['no space left on the device', `Free some space there and ${RETRY}.`],
  EDQUOT: ['the disk quota is used up', `Free some space or raise the quota, and ${RETRY}.`],
  EFBIG: ['the file would exceed the size limit', `Raise the limit (ulimit -f) and ${RETRY}.`],
  EIO: ['the disk reports an error', `Check the disk and ${RETRY}.`],
  EROFS: ['the file system is read-only', 'Choose a place that can be written.'],
  EACCES: ['permission denied', 'Its folder must be there and writable by this user.'],
  EPERM: ['permission denied', 'Its folder must be there and writable by this user.'],
  ENOENT: ['no such folder', 'Make its folder first.'],
  ENOTDIR: ['a part of the path is a file', 'Choose a place below folders.'],
  EISDIR: ['it is a folder', 'Name a file.'],
  ENAMETOOLONG: ['the name is too long', 'Choose a shorter name.'],
  EPIPE: ['nobody reads it', `Keep its reader open and ${RETRY}.`],
  EMFILE: ['too many open files', `Raise the limit (ulimit -n) and ${RETRY}.`],
  ENFILE: ['too many open files', `Close other programs and ${RETRY}.`],
};

/**
 * The error of a failed write: which file, why, and what to do.
 * @param what what was being written, such as `the keys file plimsoll.keys.json`
 */
export function writeFailure(what: string, file: string, cause: unknown): PlimsollError {
  if (cause instanceof PlimsollError) return cause;
  const code = systemErrorCode(cause);
  const [why, remedy] = CAUSES[code] ?? [undefined, 'Its folder must be there and writable.'];
  const reason = why === undefined ? `(${code})` : `(${code}): ${why}`;
  return new PlimsollError('io', `Cannot write ${what} ${reason}. ${remedy}`, { place: { file }, cause });
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does short synchronous work that no signal may interrupt. While a signal has a listener, Node does not end the process, and the
 * listener itself waits until the work is done. Not for long work: Ctrl-C must end that at once.
 */
export function uninterrupted<T>(work: () => T): T {
  const wait = () => {};
  for (const signal of SIGNALS) process.on(signal, wait);
  try {
    return work();
  } finally {
    for (const signal of SIGNALS) process.off(signal, wait);
  }
}
