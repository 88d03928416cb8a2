import path from 'node:path';
import { PlimsollError } from '../errors.ts';
import { foldersAside, withLock } from '../files/index.ts';
import {
  artifactFoldersIn,
  CURRENT_FILE,
  type Current,
  type Promotion,
  readCurrent,
  writeCurrent,
} from './current.ts';
import { isFolder, readArtifact } from './read.ts';
import { requirePass, type Standing, standingInFolder } from './standing.ts';

/** What lies in a folder of a store. A broken artifact is listed with its fault. */
export type StoredArtifact = { readonly folder: string; readonly current: boolean } & (
  | {
      readonly kind: 'whole';
      readonly name: string;
      readonly sha256: string;
      readonly created: string;
      readonly threshold: number;
      readonly standing: Standing;
    }
  | { readonly kind: 'broken'; readonly fault: string }
);

/**
 * Makes an artifact of the store the one that serves. Promoting what is current already changes nothing.
 * @param name the artifact's folder in the store.
 * @param check asked while no other command can change what serves; throws to refuse
 * @throws PlimsollError where the artifact is not whole, `ungated` where it has no valid PASS, `io` where the store cannot be written.
 */
export function promote(store: string, name: string, at: Date, check = () => {}): Promotion {
  servable(path.join(store, name), at); // what is wrong with it is said even where the store cannot be written
  return withLock(path.join(store, CURRENT_FILE), () => {
    check();
    const { sha256 } = servable(path.join(store, name), at);
    const history = readCurrent(store)?.history ?? [];
    const last = history.at(-1);
    if (last?.artifact === name && last.sha256 === sha256) return last;
    return appended(store, history, { artifact: name, sha256, at: at.toISOString() });
  });
}

/**
 * Goes back to what was current before the present artifact: rolling back twice leads forward again, and the history keeps
 * every step.
 * @throws PlimsollError `not-found` where there is nothing to go back to, `invalid-artifact` where it was replaced since,
 * `ungated` where its verdict no longer holds.
 */
export function rollback(store: string, at: Date): Promotion {
  requireCurrent(store);
  return withLock(path.join(store, CURRENT_FILE), () => rolledBack(store, at));
}

function rolledBack(store: string, at: Date): Promotion {
  const { artifact, history } = requireCurrent(store);
  const before = history.findLast((entry) => entry.artifact !== artifact);
  if (before === undefined) {
    throw new PlimsollError(
      'not-found',
      `There is nothing before ${artifact} in the history of ${store}: no other artifact was promoted there.`,
    );
  }
  const folder = path.join(store, before.artifact);
  const { sha256 } = servable(folder, at);
  if (sha256 === before.sha256) return appended(store, history, { ...before, at: at.toISOString() });
  throw new PlimsollError(
    'invalid-artifact',
    `${folder} is no longer what served before: it was replaced. Promote what shall serve with \`plimsoll promote\`.`,
    { place: { file: folder } },
  );
}

/** Every artifact of the store, sorted by folder, and what `current.json` names though it is not there. Never throws for a broken one.
 * @throws PlimsollError `not-found` where there is no store, `invalid-artifact` where `current.json` cannot be read. */
export function listArtifacts(store: string, now: Date): StoredArtifact[] {
  if (!isFolder(store)) {
    throw new PlimsollError(
      'not-found',
      `There is no folder ${store}. Name the one that holds the artifacts.`,
    );
  }
  const current = readCurrent(store);
  const folders = new Set([...artifactFoldersIn(store), ...foldersAside(store)]);
  if (current) folders.add(current.artifact);
  return [...folders].sort().map((folder) => stored(store, folder, current, now));
}

function stored(store: string, folder: string, current: Current | undefined, now: Date): StoredArtifact {
  const place = { folder, current: folder === current?.artifact };
  try {
    const files = readArtifact(path.join(store, folder));
    const { name, created, policy } = files.manifest;
    if (place.current && files.sha256 !== current?.history.at(-1)?.sha256) {
      return { ...place, kind: 'broken', fault: 'it was replaced since it was promoted' };
    }
    const standing = standingInFolder(files, now);
    return {
      ...place,
      kind: 'whole',
      name,
      sha256: files.sha256,
      created,
      threshold: policy.threshold,
      standing,
    };
  } catch (error) {
    if (error instanceof PlimsollError) return { ...place, kind: 'broken', fault: error.message };
    throw error;
  }
}

function servable(folder: string, now: Date): { readonly sha256: string } {
  const artifact = readArtifact(folder);
  requirePass(standingInFolder(artifact, now));
  return artifact;
}

function appended(store: string, history: readonly Promotion[], entry: Promotion): Promotion {
  writeCurrent(store, [...history, entry]);
  return entry;
}

function requireCurrent(store: string): Current {
  const current = readCurrent(store);
  if (current) return current;
  throw new PlimsollError(
    'not-found',
    `There is no ${CURRENT_FILE} in ${store}: nothing was promoted there yet. Do so with \`plimsoll promote\`.`,
    { place: { file: store } },
  );
}
