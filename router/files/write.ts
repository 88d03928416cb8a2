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

/** Where something other than a write failed too, these say more. */
const OTHER_CAUSES: typeof CAUSES = {
  ...CAUSES,
  EACCES: ['permission denied', 'This user must be able to reach it.'],
  EPERM: ['permission denied', 'This user must be able to reach it.'],
  ENOENT: ['it does not exist', 'Look at its path.'],
  ENOTDIR: ['a part of its path is a file', 'Look at its path.'],
  EISDIR: ['it is a folder', 'A file is needed in its place.'],
  EEXIST: ['it exists already', 'Choose another place, or remove it.'],
  ENOTEMPTY: ['the folder is not empty', 'Choose another place, or empty it.'],
  EXDEV: ['it is on another file system', 'Choose a place on the same one.'],
  EBUSY: ['something else uses it', `Close that and ${RETRY}.`],
  ELOOP: ['its links lead in a circle', 'Look at its path.'],
};

/**
 * The error of a file or folder that the operating system refuses where nobody said anything better. Undefined for what is none of these: a
 * fault of the program, or of a connection.
 */
export function fileFailure(error: unknown): PlimsollError | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || 'address' in error) return undefined;
  const code = systemErrorCode(error);
  const found = OTHER_CAUSES[code];
  if (found === undefined || code === 'EPIPE') return undefined;
  const [why, remedy] = found;
  const file = 'path' in error ? String(error.path) : undefined;
  const place = file === undefined ? 'A file' : file;
  return new PlimsollError('io', `${place} cannot be used (${code} at ${error.syscall}): ${why}. ${remedy}`, {
    ...(file !== undefined && { place: { file } }),
    cause: error,
  });
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
