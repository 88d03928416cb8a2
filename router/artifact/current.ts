import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { PlimsollError } from '../errors.ts';
import { replaceFile, restoreFolder } from '../files/index.ts';
import { artifactJson } from './artifact-json.ts';
import { MANIFEST_FILE, readPart } from './read.ts';
import { sha256 } from './sha256.ts';

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

/** @throws PlimsollError `invalid-artifact` where the pointer cannot be read. Undefined where there is none. */
export function readCurrent(store: string): Current | undefined {
  const file = path.join(store, CURRENT_FILE);
  return existsSync(file) ? artifactJson(currentSchema, readPart(store, CURRENT_FILE), file) : undefined;
}

/** Flips the pointer at once: a reader sees the old one or the new one. */
export function writeCurrent(store: string, history: readonly Promotion[]): void {
  const current = { schema_version: 1, artifact: history.at(-1)!.artifact, history };
  replaceFile(path.join(store, CURRENT_FILE), `${JSON.stringify(current, null, 2)}\n`);
}

/** sha256 of an artifact's manifest.json; undefined where there is none. */
export function manifestSha256(folder: string): string | undefined {
  const there = existsSync(path.join(folder, MANIFEST_FILE));
  return there ? sha256(readPart(folder, MANIFEST_FILE)) : undefined;
}

/**
 * The artifact that a configured folder stands for: itself where it is one, what `current.json` names where it is a store.
 * @throws PlimsollError `invalid-artifact` where the pointer leads to nothing, or to what was replaced since; `not-found` for
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
    `${file} names ${target}, ${what}. Promote an artifact with \`plimsoll promote --artifact ${target}\`, or go back with \`plimsoll rollback --store ${folder}\`.`,
    { place: { file, field: 'artifact' } },
  );
}

function refuseWithoutPointer(folder: string): void {
  const [first] = artifactFoldersIn(folder);
  if (first === undefined) return;
  throw new PlimsollError(
    'not-found',
    `${folder} holds artifacts, but no ${CURRENT_FILE} says which of them serves. Choose one with \`plimsoll promote --artifact ${path.join(folder, first)}\`.`,
    { place: { file: folder } },
  );
}

/** Names of the folders with a manifest, sorted. Names that begin with a dot are of artifacts that are still being written. */
export function artifactFoldersIn(store: string): string[] {
  if (!existsSync(store)) return [];
  try {
    return readdirSync(store)
      .filter((name) => !name.startsWith('.') && existsSync(path.join(store, name, MANIFEST_FILE)))
      .sort();
  } catch {
    return []; // a file, or not for us to see
  }
}
