import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { PlimsollError } from '../errors.ts';
import { withLock } from './lock.ts';
import { removed, sweep, temporariesIn, temporaryName } from './temporary.ts';
import { syncFolder, writeSynced } from './write.ts';

/**
 * Writes a folder whole or not at all, in the place of an older one. POSIX cannot exchange two folders by one rename, so the old one
 * is put aside for an instant; if the command is killed in it, `restoreFolder` puts the old one back.
 * @param check asked under the lock before anything is written; throws to refuse
 * @throws what the operating system says, with the old folder as it was
 */
export function replaceFolder(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  check: () => void,
): void {
  const place = path.resolve(folder);
  const parent = path.dirname(place);
  mkdirSync(parent, { recursive: true });
  withLock(folder, () => {
    putBack(place);
    check();
    sweep(parent);
    const temporary = temporaryName(place, 'tmp');
    try {
      mkdirSync(temporary); // not mkdtemp, whose folders only their owner can read: the server may run as somebody else
      for (const [name, data] of Object.entries(files)) writeSynced(path.join(temporary, name), data);
      syncFolder(temporary);
      moveIntoPlace(temporary, place);
    } catch (error) {
      removed(temporary);
      throw error;
    }
    syncFolder(parent);
  });
}

/** Tries whether a folder can be made in another one, by making one. @throws what the operating system says */
export function assertFolderTakes(parent: string): void {
  sweep(parent);
  const trial = temporaryName(path.join(parent, 'trial'), 'tmp');
  mkdirSync(trial);
  removed(trial);
}

/**
 * Puts a folder back that a command was replacing when it was killed. Does nothing if the folder is there, or never was.
 * @throws PlimsollError `io` if it was put aside and cannot be put back, saying where it is
 */
export function restoreFolder(folder: string): void {
  const place = path.resolve(folder);
  if (existsSync(place) || asideOf(place) === undefined) return;
  try {
    withLock(place, () => putBack(place));
  } catch (cause) {
    throw new PlimsollError(
      'io',
      `${folder} was being replaced when a command was killed, and it cannot be put back here. Run \`mv ${asideOf(place)} ${place}\` as a user who may.`,
      { place: { file: folder }, cause },
    );
  }
}

/** The folders of `parent` that `restoreFolder` would put back. */
export function foldersAside(parent: string): string[] {
  const aside = temporariesIn(parent).filter(({ kind, target }) => kind === 'before' && !existsSync(target));
  return aside.map(({ target }) => path.basename(target));
}

/** Under the lock nobody else is at work on it, so what is aside was left there. */
function putBack(place: string): void {
  const aside = asideOf(place);
  if (aside !== undefined && !existsSync(place)) renameSync(aside, place);
}

function asideOf(place: string): string | undefined {
  const found = temporariesIn(path.dirname(place));
  return found.find(({ target, kind }) => kind === 'before' && target === place)?.file;
}

function moveIntoPlace(temporary: string, place: string): void {
  if (!existsSync(place)) {
    renameSync(temporary, place);
    return;
  }
  const before = temporaryName(place, 'before');
  renameSync(place, before);
  try {
    renameSync(temporary, place);
  } catch (error) {
    renameSync(before, place);
    throw error;
  }
  removed(before); // the new one is in its place: if the old one cannot be removed, the next command tries again
}
