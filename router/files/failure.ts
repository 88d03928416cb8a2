import { PlimsollError, systemErrorCode } from '../errors.ts';

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
