import { statSync } from 'node:fs';
import { type SafeError, safeError } from '../errors.ts';
import { type Authentication, authenticate, knownKeys, type RequestHeaders } from './authenticate.ts';
import { readKeys } from './keys-file.ts';

export interface Access {
  /** Never throws: while the keys file cannot be read, the keys that were read last stay in force. */
  authenticate(headers: RequestHeaders): Authentication;
  /** Why the keys file cannot be read at the moment; undefined if it can. */
  trouble(): SafeError | undefined;
}

export interface AccessParts {
  readonly file: string;
  /** The file cannot be read: called when that begins, and every minute while it lasts. */
  readonly onBroken: (trouble: SafeError) => void;
  /** It can be read again, and what it says is in force. */
  readonly onMended?: () => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** How long a changed file may go unseen: the longest time that a revoked key still works. */
export const LOOK_EVERY_MS = 1_000;
export const REMIND_EVERY_MS = 60_000;

/**
 * The keys on file, read again when the file changes. It is looked at as requests come, at most once a second: no timer, and no
 * watcher of the operating system, which reports nothing on many network and container file systems.
 *
 * A file that cannot be read any more (broken, gone, no permission) leaves the last keys in force: refusing everybody would turn one
 * slip of an operator into an outage. It is reported until it can be read, because no revocation takes effect until then.
 * @throws PlimsollError as `readKeys` does, if the file is missing or broken at the start
 */
export function openAccess({ file, onBroken, onMended, now = Date.now }: AccessParts): Access {
  let mark = fileMark(file);
  let keys = knownKeys(readKeys(file));
  let lookedAt = now();
  let trouble: SafeError | undefined;
  let reportedAt = 0;

  function look(at: number): void {
    // A clock that was set back must not keep it from looking.
    if (Math.abs(at - lookedAt) < LOOK_EVERY_MS) return;
    lookedAt = at;
    const seen = fileMark(file);
    if (seen === mark && trouble === undefined) return;
    const changed = seen !== mark;
    mark = seen;
    try {
      keys = knownKeys(readKeys(file));
      if (trouble !== undefined) onMended?.();
      trouble = undefined;
    } catch (error) {
      trouble = safeError(error);
      if (!changed && Math.abs(at - reportedAt) < REMIND_EVERY_MS) return;
      reportedAt = at;
      onBroken(trouble);
    }
  }

  return {
    authenticate(headers) {
      const at = now();
      look(at);
      return authenticate(keys, headers, at);
    },
    trouble() {
      look(now());
      return trouble;
    },
  };
}

/** Tells one state of the file from another; ctime changes with its rights and owner, too. */
function fileMark(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return '-';
  }
}
