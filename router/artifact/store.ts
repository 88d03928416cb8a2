import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { PlimsollError } from '../errors.ts';
import { foldersAside, replaceFile, restoreFolder, withLock } from '../files/index.ts';
import { COMMAND } from '../package.ts';
import { RecentMap } from '../recent-map.ts';
import { shellWord } from '../shell-word.ts';
import {
  CLASSIFIER_FILE,
  GOLDEN_FILE,
  isFolder,
  LARGEST_TEXT,
  MANIFEST_FILE,
  MODEL_CARD_FILE,
  readArtifact,
  readPart,
  SEEN_QUESTIONS_FILE,
} from './artifact-files.ts';
import { artifactJson } from './manifest.ts';
import { sha256 } from './sha256.ts';
import { SIGNATURE_FILE } from './signature.ts';
import { type Judged, requirePass, type Standing, servedPolicy, standingInFolder } from './standing.ts';
import { VERDICT_FILE } from './verdict.ts';

const BOUND = [MANIFEST_FILE, CLASSIFIER_FILE, GOLDEN_FILE, MODEL_CARD_FILE, SEEN_QUESTIONS_FILE];

/** What a folder of a store holds. An artifact that cannot be read is listed with its fault. */
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
 * @throws PlimsollError if the artifact is not whole, `ungated` if it has no valid PASS, `io` if the store cannot be written.
 */
export function promote(store: string, name: string, at: Date, check = () => {}): Promotion {
  servable(path.join(store, name), at); // what is wrong with it is said even if the store cannot be written
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
 * @param check asked, with the folder that is to serve, while no other command can change what serves; throws to refuse
 * @throws PlimsollError `not-found` if there is nothing to go back to, `invalid-artifact` if it was replaced since,
 * `ungated` if its verdict no longer holds.
 */
export function rollback(store: string, at: Date, check: (folder: string) => void = () => {}): Promotion {
  requireCurrent(store);
  return withLock(path.join(store, CURRENT_FILE), () => rolledBack(store, at, check));
}

function rolledBack(store: string, at: Date, check: (folder: string) => void): Promotion {
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
  if (sha256 !== before.sha256) {
    throw new PlimsollError(
      'invalid-artifact',
      `${folder} is no longer what served before: it was replaced. Promote what shall serve with \`${COMMAND} promote\`.`,
      { place: { file: folder } },
    );
  }
  check(folder);
  return appended(store, history, { ...before, at: at.toISOString() });
}

/** Every artifact of the store, sorted by folder, and what `current.json` names though it is not there. Never throws for a broken one.
 * @throws PlimsollError `not-found` if there is no store, `invalid-artifact` if `current.json` cannot be read. */
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
    const files = checkedArtifact(path.join(store, folder));
    const { name, created } = files.manifest;
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
      threshold: servedPolicy(files.manifest, standing).threshold,
      standing,
    };
  } catch (error) {
    if (error instanceof PlimsollError) return { ...place, kind: 'broken', fault: error.message };
    throw error;
  }
}

/** The state of the files of artifacts whose hashes were checked, so that a page that lists a store does not hash them again. */
const checked = new RecentMap<{ readonly mark: string; readonly artifact: Judged }>(1_000);

/** As readArtifact, from memory while no file of it has changed. */
function checkedArtifact(folder: string): Judged {
  const place = path.resolve(folder);
  const mark = partsMark(place);
  const known = checked.get(place);
  if (mark !== undefined && known?.mark === mark) return { ...known.artifact, folder };
  const { manifest, sha256 } = readArtifact(folder);
  const artifact = { folder, manifest, sha256 };
  if (mark !== undefined) checked.set(place, { mark, artifact });
  return artifact;
}

/** A file system counts time in steps: what is written again within one keeps its time. */
const SETTLED_MS = 2_000;

/** Inode, size and times of the files that the manifest binds, and of itself; undefined if one is missing, or was written just now. */
function partsMark(folder: string): string | undefined {
  const marks: string[] = [];
  for (const name of BOUND) {
    const found = statOf(path.join(folder, name));
    if (found === undefined || Date.now() - Number(found.ctimeMs) < SETTLED_MS) return undefined;
    marks.push(`${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`);
  }
  return marks.join('\n');
}

function statOf(file: string) {
  try {
    return statSync(file, { bigint: true });
  } catch {
    return undefined; // the reader says what is wrong
  }
}

function servable(folder: string, now: Date): { readonly sha256: string } {
  const artifact = readArtifact(folder);
  requirePass(standingInFolder(artifact, now));
  return artifact;
}

/** A command that waited for the lock began before the one that held it: the history stays in the order of its times. */
function appended(store: string, history: readonly Promotion[], { at, ...rest }: Promotion): Promotion {
  const last = history.at(-1)?.at ?? at;
  const entry = { ...rest, at: at < last ? last : at };
  writeCurrent(store, [...history, entry]);
  return entry;
}

function requireCurrent(store: string): Current {
  const current = readCurrent(store);
  if (current) return current;
  throw new PlimsollError(
    'not-found',
    `There is no ${CURRENT_FILE} in ${store}: nothing was promoted there yet. Do so with \`${COMMAND} promote\`.`,
    { place: { file: store } },
  );
}

/** A store is a folder of artifacts in which this file names the one that serves. */
export const CURRENT_FILE = 'current.json';

const folderName = z
  .string()
  .regex(/^[^/\\]+$/, 'must be the name of a folder in the store, not a path')
  .refine((name) => name !== '.' && name !== '..', 'must be the name of a folder in the store');

const currentSchema = z
  .strictObject({
    schema_version: z.literal(1),
    artifact: folderName,
    /** Oldest first; the last entry is the artifact that serves. `sha256` is of its manifest.json. */
    history: z
      .array(
        z.strictObject({
          artifact: folderName,
          sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex'),
          at: z.iso.datetime(),
        }),
      )
      .min(1),
  })
  .refine(({ artifact, history }) => history.at(-1)?.artifact === artifact, {
    error: 'must be the artifact of the last entry of the history',
    path: ['artifact'],
  });

export type Current = z.infer<typeof currentSchema>;
export type Promotion = Current['history'][number];

/** @throws PlimsollError `invalid-artifact` if the pointer cannot be read. Undefined if there is none. */
export function readCurrent(store: string): Current | undefined {
  const file = path.join(store, CURRENT_FILE);
  return existsSync(file)
    ? artifactJson(currentSchema, readPart(store, CURRENT_FILE, LARGEST_TEXT), file)
    : undefined;
}

/** Flips the pointer at once: a reader sees the old one or the new one. */
export function writeCurrent(store: string, history: readonly Promotion[]): void {
  const current = { schema_version: 1, artifact: history.at(-1)!.artifact, history };
  replaceFile(path.join(store, CURRENT_FILE), `${JSON.stringify(current, null, 2)}\n`);
}

/** sha256 of an artifact's manifest.json; undefined if there is none. */
export function manifestSha256(folder: string): string | undefined {
  const there = existsSync(path.join(folder, MANIFEST_FILE));
  return there ? sha256(readPart(folder, MANIFEST_FILE, LARGEST_TEXT)) : undefined;
}

/**
 * The artifact that a configured folder means: the folder itself if it is an artifact, the one that `current.json` names if it is a store.
 * @throws PlimsollError `invalid-artifact` if the pointer leads to nothing, or to what was replaced since; `not-found` for
 * a folder of artifacts in which none was chosen.
 */
export function resolveArtifact(folder: string): string {
  restoreFolder(folder);
  if (existsSync(path.join(folder, MANIFEST_FILE))) return folder;
  const current = readCurrent(folder);
  if (current === undefined) {
    refuseWithoutPointer(folder);
    return folder; // what is wrong with it, the reader of artifacts says
  }
  const target = path.join(folder, current.artifact);
  restoreFolder(target);
  const found = manifestSha256(target);
  if (found === current.history.at(-1)!.sha256) return target;
  const file = path.join(folder, CURRENT_FILE);
  const what = found === undefined ? 'which is no artifact' : 'which was replaced since it was promoted';
  throw new PlimsollError(
    'invalid-artifact',
    `${file} names ${target}, ${what}. Promote an artifact with \`${COMMAND} promote --artifact ${shellWord(target)}\`, or go back with \`${COMMAND} rollback --store ${shellWord(folder)}\`.`,
    { place: { file, field: 'artifact' } },
  );
}

function refuseWithoutPointer(folder: string): void {
  const [first] = artifactFoldersIn(folder);
  if (first === undefined) return;
  throw new PlimsollError(
    'not-found',
    `${folder} holds artifacts, but no ${CURRENT_FILE} says which of them serves. Choose one with \`${COMMAND} promote --artifact ${shellWord(path.join(folder, first))}\`.`,
    { place: { file: folder } },
  );
}

/** Whether a folder holds something else than a router, such as the classifier of tasks. A manifest that cannot be read is for whoever opens it to report. */
function isOtherKind(manifestFile: string): boolean {
  try {
    const { format } = JSON.parse(readFileSync(manifestFile, 'utf8')) as { readonly format?: unknown };
    return format !== undefined;
  } catch {
    return false;
  }
}

/** Names of the folders with the manifest of a router, sorted. Names that begin with a dot are of artifacts that are still being written. */
export function artifactFoldersIn(store: string): string[] {
  if (!existsSync(store)) return [];
  try {
    return readdirSync(store)
      .filter((name) => {
        const manifest = path.join(store, name, MANIFEST_FILE);
        return !name.startsWith('.') && existsSync(manifest) && !isOtherKind(manifest);
      })
      .sort();
  } catch {
    return []; // a file, or not for us to see
  }
}

const WATCHED = [...BOUND, VERDICT_FILE, SIGNATURE_FILE];

/**
 * Identifies the state of an artifact, or of a store's current artifact: inode, size and time of its files. For polling: the operating
 * system's own watch reports nothing on many network and container file systems.
 * Undefined while there is no artifact, as for an instant when one is replaced.
 */
export async function artifactMark(folder: string): Promise<string | undefined> {
  const place = resolvedOr(folder);
  const files = [path.join(folder, CURRENT_FILE), ...WATCHED.map((name) => path.join(place, name))];
  const [pointer, manifest, ...others] = await Promise.all(files.map(fileMark));
  if (pointer === '-' && manifest === '-') return undefined;
  return [place, pointer, manifest, ...others].join('\n');
}

/** A pointer that leads nowhere is watched by itself: it may be fixed. */
function resolvedOr(folder: string): string {
  try {
    return resolveArtifact(folder);
  } catch {
    return folder;
  }
}

async function fileMark(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return '-';
  }
}
