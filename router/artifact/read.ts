import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { PlimsollError } from '../errors.ts';
import { restoreFolder } from '../files/index.ts';
import { artifactJson } from './artifact-json.ts';
import { type GoldenCase, goldenSchema, type Manifest, manifestSchema } from './manifest.ts';
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
      `There is no artifact folder at ${folder}. Train one with \`plimsoll train\`.`,
      {
        place: { file: folder },
      },
    );
  }
  const manifestBytes = readPart(folder, MANIFEST_FILE);
  const manifest = artifactJson(manifestSchema, manifestBytes, path.join(folder, MANIFEST_FILE));
  const bound = (name: string): Uint8Array => {
    const bytes = readPart(folder, name);
    if (sha256(bytes) !== manifest.files[name]) throw changed(path.join(folder, name));
    return bytes;
  };
  const goldenFile = path.join(folder, GOLDEN_FILE);
  return {
    folder,
    manifest,
    classifier: bound(CLASSIFIER_FILE),
    golden: artifactJson(goldenSchema, bound(GOLDEN_FILE), goldenFile),
    modelCard: new TextDecoder().decode(bound(MODEL_CARD_FILE)),
    seenQuestions: bound(SEEN_QUESTIONS_FILE),
    sha256: sha256(manifestBytes),
  };
}

export function isFolder(place: string): boolean {
  try {
    return statSync(place).isDirectory();
  } catch {
    return false; // not there, below a file, or not for us to see: for the reader it is all one
  }
}

/** @throws PlimsollError `invalid-artifact` where the file is not there, or not for us to read. */
export function readPart(folder: string, name: string): Uint8Array {
  const file = path.join(folder, name);
  try {
    return readFileSync(file);
  } catch (cause) {
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
