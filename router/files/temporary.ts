import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { ownerText, stateOf, thisProcess } from './owner.ts';

/** `tmp` is being written; `before` is a folder that is being replaced. */
type Kind = 'tmp' | 'before';

const NAME =
  /^\.(?<target>.+)\.(?<machine>[0-9a-f]{8})-(?<pid>\d+)-(?<started>\d+)-[0-9a-f]{12}\.(?<kind>tmp|before)$/;

/** Another machine's files are swept only when nobody has touched them for so long. */
const ABANDONED_AFTER_MS = 86_400_000;

/** A new hidden name in the folder of `target` that says which process made it. */
export function temporaryName(target: string, kind: Kind): string {
  const unique = `${ownerText(thisProcess())}-${randomBytes(6).toString('hex')}`;
  return path.join(path.dirname(target), `.${path.basename(target)}.${unique}.${kind}`);
}

interface Temporary {
  readonly file: string;
  readonly target: string;
  readonly kind: Kind;
  readonly abandoned: boolean;
}

/** What commands left in a folder, killed ones or ones at work. */
export function temporariesIn(folder: string): Temporary[] {
  return namesIn(folder).flatMap((name) => {
    const parts = NAME.exec(name)?.groups;
    if (parts === undefined) return [];
    const file = path.join(folder, name);
    const owner = {
      machine: parts['machine']!,
      pid: Number(parts['pid']),
      started: Number(parts['started']),
    };
    const state = stateOf(owner);
    const abandoned = state === 'gone' || (state === 'elsewhere' && ageMs(file) > ABANDONED_AFTER_MS);
    return [{ file, target: path.join(folder, parts['target']!), kind: parts['kind'] as Kind, abandoned }];
  });
}

/** Removes what killed commands left. A `before` whose target is missing stays: it is all that there is. */
export function sweep(folder: string): void {
  for (const { file, target, kind, abandoned } of temporariesIn(folder)) {
    if (abandoned && (kind === 'tmp' || existsSync(target))) removed(file);
  }
}

/** Best effort: what cannot be removed now is tried again by the next command. */
export function removed(place: string): void {
  try {
    rmSync(place, { recursive: true, force: true });
  } catch {}
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // the write itself says what is wrong with the folder
  }
}

function ageMs(file: string): number {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
