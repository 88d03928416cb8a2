import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { removed, sweep, temporaryName } from './temporary.ts';
import { syncFolder, writeAll, writeFailure } from './write.ts';

export interface ReplaceOptions {
  /** Access rights, such as 0o600; those of the file that is replaced unless given, or what the umask leaves. */
  readonly mode?: number;
  /** What the file is, for errors: `the keys file`. */
  readonly what?: string;
}

/** The new contents of a file, on their way. Until `commit` the old file is as it was. */
export interface Replacement {
  /** @throws PlimsollError `io`; then nothing can follow but `discard` */
  write(data: string | Uint8Array): void;
  /** Everything is on disk and under its name when this returns. @throws PlimsollError `io`, with the old file as it was; as `write` threw */
  commit(): void;
  /** Does nothing after `commit`. */
  discard(): void;
}

/**
 * Writes a file whole or not at all: a reader, or a machine that loses its power, sees the old contents or the new ones.
 * @throws PlimsollError `io`, with file, reason and remedy; the old file is then as it was
 */
export function replaceFile(file: string, data: string | Uint8Array, options: ReplaceOptions = {}): void {
  const replacement = openReplacement(file, options);
  try {
    replacement.write(data);
    replacement.commit();
  } finally {
    replacement.discard();
  }
}

/**
 * The same for contents that come piece by piece. Terminals, pipes and the like cannot be replaced: they are written as it comes.
 * @throws PlimsollError `io`
 */
export function openReplacement(file: string, options: ReplaceOptions = {}): Replacement {
  const what = options.what === undefined ? file : `${options.what} ${file}`;
  const target = realPlace(file);
  const orFailure = <T>(step: () => T): T => {
    try {
      return step();
    } catch (cause) {
      throw writeFailure(what, file, cause);
    }
  };
  const old = orFailure(() => statSync(target, { throwIfNoEntry: false }));
  if (old !== undefined && !old.isFile()) return orFailure(() => openStream(target, orFailure));

  sweep(path.dirname(target));
  const temporary = temporaryName(target, 'tmp');
  let descriptor: number | undefined = orFailure(() => openSync(temporary, 'wx', options.mode ?? 0o666));

  function close(): void {
    const open = descriptor;
    descriptor = undefined;
    if (open !== undefined) closeSync(open);
  }

  let discarded = false;
  let failure: unknown;
  const discard = () => {
    if (discarded) return;
    discarded = true;
    try {
      close();
    } catch {}
    removed(temporary);
  };
  const orDiscard = <T>(step: () => T): T => {
    try {
      return orFailure(step);
    } catch (error) {
      failure = error;
      discard();
      throw error;
    }
  };
  orDiscard(() => takeOver(descriptor!, old, options.mode));
  return {
    discard,
    write: (data) => orDiscard(() => writeAll(descriptor!, data)),
    commit: () =>
      orDiscard(() => {
        if (failure !== undefined) throw failure;
        fsyncSync(descriptor!);
        close(); // network file systems report some errors only here
        renameSync(temporary, target);
        discarded = true;
        syncFolder(path.dirname(target));
      }),
  };
}

/** A link stays a link: what it leads to is replaced. */
export function realPlace(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return path.resolve(file); // not there yet
  }
}

/** Root keeps a file with its owner: the server that reads it may run as somebody else. */
function takeOver(descriptor: number, old: Stats | undefined, mode: number | undefined): void {
  if (mode !== undefined) fchmodSync(descriptor, mode);
  if (old === undefined) return;
  if (mode === undefined) fchmodSync(descriptor, old.mode & 0o777);
  const own = fstatSync(descriptor);
  if (process.geteuid?.() === 0 && (own.uid !== old.uid || own.gid !== old.gid)) {
    fchownSync(descriptor, old.uid, old.gid);
  }
}

function openStream(target: string, orFailure: <T>(step: () => T) => T): Replacement {
  let descriptor: number | undefined = openSync(target, 'w');
  const close = () => {
    const open = descriptor;
    descriptor = undefined;
    if (open !== undefined) closeSync(open);
  };
  return {
    discard: close,
    write: (data) => orFailure(() => writeAll(descriptor!, data)),
    commit: () => orFailure(close),
  };
}
