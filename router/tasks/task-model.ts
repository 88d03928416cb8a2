import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import {
  artifactJson,
  assertReplaceable,
  type GoldenCase,
  goldenSchema,
  readPart,
  sha256,
} from '../artifact/index.ts';
import { PlimsollError } from '../errors.ts';
import { replaceFolder, writeFailure } from '../files/index.ts';
import { COMMAND } from '../package.ts';
import { TASK_LABELS } from './task.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex');
const share = z.number().min(0).max(1);
const count = z.int().min(0);

const manifestSchema = z.strictObject({
  format: z.literal('plimsoll-tasks'),
  created: z.iso.datetime(),
  plimsoll_version: z.string(),
  /** In the order of the heads. */
  tasks: z.array(z.string()).refine((tasks) => tasks.join() === TASK_LABELS.join(), {
    message: `must be ${TASK_LABELS.join(', ')}, the tasks of this version`,
  }),
  /** A text whose likeliest task is less probable is of another task, or of none that can be told. */
  least_probability: share,
  encoder: z.strictObject({ id: z.literal('static'), sha256: hash }),
  features: z.array(z.string().min(1)),
  training: z.strictObject({
    texts: count,
    files: z.array(z.strictObject({ file: z.string().min(1), sha256: hash })),
    seed: count,
    lambda: z.number().positive(),
    structural_scale: z.number().positive(),
  }),
  files: z.record(z.string(), hash),
});

export type TaskManifest = z.output<typeof manifestSchema>;

/** What training makes. */
export interface TaskModelDraft {
  readonly manifest: Omit<TaskManifest, 'files'>;
  readonly classifier: Uint8Array;
  readonly golden: readonly GoldenCase[];
  readonly modelCard: string;
}

/** A task model as it lies on disk, every hash checked. */
export interface TaskModel extends Omit<TaskModelDraft, 'manifest'> {
  readonly folder: string;
  readonly manifest: TaskManifest;
  /** sha256 of manifest.json, which binds the other files. */
  readonly sha256: string;
}

const MANIFEST = 'manifest.json';
const CLASSIFIER = 'classifier.onnx';
const GOLDEN = 'golden.json';
const MODEL_CARD = 'MODEL_CARD.md';

/** @throws PlimsollError `not-found` if there is none; `invalid-artifact`, naming the file and the field: a part is missing, was changed or does not fit */
export function readTaskModel(folder: string): TaskModel {
  if (!existsSync(path.join(folder, MANIFEST))) {
    throw new PlimsollError(
      'not-found',
      `There is no task model in ${folder}. Train one with \`${COMMAND} tasks train\`.`,
      { place: { file: folder } },
    );
  }
  const manifestBytes = readPart(folder, MANIFEST);
  const manifest = artifactJson(manifestSchema, manifestBytes, path.join(folder, MANIFEST));
  const bound = (name: string): Uint8Array => {
    const bytes = readPart(folder, name);
    if (Object.hasOwn(manifest.files, name) && sha256(bytes) === manifest.files[name]) return bytes;
    const file = path.join(folder, name);
    throw new PlimsollError(
      'invalid-artifact',
      `${file} is not the file that the task model was made with. Restore it, or train again with \`${COMMAND} tasks train\`.`,
      { place: { file } },
    );
  };
  return {
    folder,
    manifest,
    classifier: bound(CLASSIFIER),
    golden: artifactJson(goldenSchema, bound(GOLDEN), path.join(folder, GOLDEN)),
    modelCard: new TextDecoder().decode(bound(MODEL_CARD)),
    sha256: sha256(manifestBytes),
  };
}

/**
 * Writes the folder whole or not at all.
 * @throws PlimsollError `invalid-input` if it exists and `replace` is not set; `io` if the place cannot be written
 */
export function writeTaskModel(
  folder: string,
  { manifest, classifier, golden, modelCard }: TaskModelDraft,
  options: { readonly replace?: boolean } = {},
): void {
  const parts: Record<string, Uint8Array | string> = {
    [CLASSIFIER]: classifier,
    [GOLDEN]: `${JSON.stringify(golden, null, 2)}\n`,
    [MODEL_CARD]: modelCard,
  };
  const files = Object.fromEntries(Object.entries(parts).map(([name, bytes]) => [name, sha256(bytes)]));
  parts[MANIFEST] = `${JSON.stringify({ ...manifest, files }, null, 2)}\n`;
  try {
    replaceFolder(folder, parts, () => assertReplaceable(folder, options));
  } catch (cause) {
    throw writeFailure(`the task model to ${folder}`, folder, cause);
  }
}
