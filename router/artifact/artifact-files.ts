import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { PlimsollError } from '../errors.ts';
import {
  assertFolderTakes,
  readBounded,
  replaceFolder,
  restoreFolder,
  writeFailure,
} from '../files/index.ts';
import { COMMAND } from '../package.ts';
import { artifactJson, type GoldenCase, goldenSchema, type Manifest, manifestSchema } from './manifest.ts';
import { sha256 } from './sha256.ts';

/** An artifact as it lies on disk: every file read, every hash checked. */
export interface ArtifactFiles {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly golden: readonly GoldenCase[];
  readonly classifier: Uint8Array;
  readonly modelCard: string;
  /** Fingerprints of the questions of training and calibration (evals/cases/seen-questions.ts). */
  readonly seenQuestions: Uint8Array;
  /** sha256 of manifest.json, which binds every other file. */
  readonly sha256: string;
}

export const MANIFEST_FILE = 'manifest.json';
export const CLASSIFIER_FILE = 'classifier.onnx';
export const GOLDEN_FILE = 'golden.json';
export const MODEL_CARD_FILE = 'MODEL_CARD.md';
export const SEEN_QUESTIONS_FILE = 'seen-questions.bin';

/**
 * Reads an artifact folder and checks each file against the manifest's hash.
 * @throws PlimsollError `not-found` or `invalid-artifact`, naming the file and the field.
 */
export function readArtifact(folder: string): ArtifactFiles {
  restoreFolder(folder);
  if (!isFolder(folder)) {
    throw new PlimsollError(
      'not-found',
      `There is no artifact folder at ${folder}. Train one with \`${COMMAND} train\`.`,
      {
        place: { file: folder },
      },
    );
  }
  const manifestBytes = readPart(folder, MANIFEST_FILE, LARGEST_TEXT);
  const manifest = artifactJson(manifestSchema, manifestBytes, path.join(folder, MANIFEST_FILE));
  const bound = (name: string, mostBytes?: number): Uint8Array => {
    const bytes = readPart(folder, name, mostBytes);
    if (sha256(bytes) !== manifest.files[name]) throw changed(path.join(folder, name));
    return bytes;
  };
  const goldenFile = path.join(folder, GOLDEN_FILE);
  return {
    folder,
    manifest,
    classifier: bound(CLASSIFIER_FILE),
    golden: artifactJson(goldenSchema, bound(GOLDEN_FILE, LARGEST_TEXT), goldenFile),
    modelCard: new TextDecoder().decode(bound(MODEL_CARD_FILE, LARGEST_TEXT)),
    seenQuestions: bound(SEEN_QUESTIONS_FILE),
    sha256: sha256(manifestBytes),
  };
}

/** The manifest alone; no other file is checked. @throws PlimsollError `invalid-artifact`, naming the file and the field */
export function readManifest(folder: string): Manifest {
  return artifactJson(
    manifestSchema,
    readPart(folder, MANIFEST_FILE, LARGEST_TEXT),
    path.join(folder, MANIFEST_FILE),
  );
}

export function isFolder(place: string): boolean {
  try {
    return statSync(place).isDirectory();
  } catch {
    return false; // not there, below a file, or not for us to see: for the reader it is all one
  }
}

/** For a file of JSON or text, in bytes: those that are written have some kB. */
export const LARGEST_TEXT = 4 * 2 ** 20;
/** For any other file: the table of a large encoder, or the neighbours of a million cases. */
const LARGEST_PART = 512 * 2 ** 20;

/** @throws PlimsollError `invalid-artifact` if the file is not there, not for us to read, or larger than `mostBytes` */
export function readPart(folder: string, name: string, mostBytes = LARGEST_PART): Uint8Array {
  const file = path.join(folder, name);
  try {
    return readBounded(file, {
      mostBytes,
      code: 'invalid-artifact',
      remedy: 'It is no part of an artifact. Restore the file.',
    });
  } catch (cause) {
    if (cause instanceof PlimsollError) throw cause;
    throw new PlimsollError(
      'invalid-artifact',
      `${file} is missing or cannot be read: the artifact is not whole.`,
      {
        place: { file },
        cause,
      },
    );
  }
}

function changed(file: string): PlimsollError {
  return new PlimsollError(
    'invalid-artifact',
    `${file} was changed after the artifact was made: its sha256 is not the one in manifest.json. Restore it, or train again.`,
    { place: { file } },
  );
}

export interface ArtifactDraft {
  readonly manifest: Omit<Manifest, 'files'>;
  readonly classifier: Uint8Array;
  readonly golden: readonly GoldenCase[];
  readonly modelCard: string;
  /** Fingerprints of the questions of training and calibration (evals/cases/seen-questions.ts). */
  readonly seenQuestions: Uint8Array;
}

/**
 * Writes an artifact whole or not at all. Artifacts are immutable, so an existing folder is refused unless `replace` is set. Returns the manifest with the files' hashes.
 * @throws PlimsollError `invalid-input` if the folder exists or a field of the manifest is wrong, `io` if the place cannot be written.
 */
export function writeArtifact(
  folder: string,
  draft: ArtifactDraft,
  options: { replace?: boolean } = {},
): Manifest {
  const parts: Record<string, Uint8Array | string> = {
    [CLASSIFIER_FILE]: draft.classifier,
    [GOLDEN_FILE]: `${JSON.stringify(draft.golden, null, 2)}\n`,
    [MODEL_CARD_FILE]: draft.modelCard,
    [SEEN_QUESTIONS_FILE]: draft.seenQuestions,
  };
  const files = Object.fromEntries(Object.entries(parts).map(([name, bytes]) => [name, sha256(bytes)]));
  const manifest = checkedManifest({ ...draft.manifest, files });
  parts[MANIFEST_FILE] = `${JSON.stringify(manifest, null, 2)}\n`;
  try {
    replaceFolder(folder, parts, () => assertReplaceable(folder, options));
  } catch (cause) {
    throw writeFailure(`the artifact to ${folder}`, folder, cause);
  }
  return manifest;
}

function checkedManifest(manifest: Manifest): Manifest {
  const parsed = manifestSchema.safeParse(manifest);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const field = issue.path.join('.');
  throw new PlimsollError('invalid-input', `The manifest's field "${field}": ${issue.message}.`, {
    place: { field },
  });
}

/** Called before long work too, so that an hour of training does not end at a read-only folder. */
export function assertWritable(folder: string, options: { replace?: boolean } = {}): void {
  restoreFolder(folder);
  assertReplaceable(folder, options);
  try {
    assertFolderTakes(nearestThatExists(path.resolve(folder)));
  } catch (cause) {
    throw writeFailure(`the artifact to ${folder}`, folder, cause);
  }
}

/** @throws PlimsollError `invalid-input` if the folder exists and may not be replaced, or is no artifact */
export function assertReplaceable(folder: string, options: { replace?: boolean }): void {
  if (existsSync(folder) && !options.replace) {
    throw new PlimsollError(
      'invalid-input',
      `${folder} exists already, and artifacts are never overwritten. Choose another --out, or say --force to replace it.`,
      { place: { file: folder } },
    );
  }
  if (existsSync(folder) && !isArtifactOrEmpty(folder)) {
    throw new PlimsollError(
      'invalid-input',
      `${folder} is no artifact: it is not replaced, lest something else is lost. Choose another --out.`,
      { place: { file: folder } },
    );
  }
}

/** Above the place: folders that are still to be made are not made for a trial. */
function nearestThatExists(place: string): string {
  const parent = path.dirname(place);
  return existsSync(parent) || parent === place ? parent : nearestThatExists(parent);
}

function isArtifactOrEmpty(folder: string): boolean {
  try {
    const names = readdirSync(folder);
    return names.length === 0 || names.includes(MANIFEST_FILE);
  } catch {
    return false; // a file
  }
}
