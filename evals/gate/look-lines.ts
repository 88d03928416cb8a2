import { createHash } from 'node:crypto';
import { z } from 'zod';
import { VERDICTS } from '../../router/artifact/index.ts';
import { decodeColumn, encodeColumn, type SortedSet } from './case-fingerprints.ts';

const hashInHex = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex');
const name = z.string().min(1);
const count = z.int().min(0);
const threshold = z.number().min(-1).max(1);

const version2 = z.literal(2, {
  error: 'this version of Plimsoll reads 1 and 2: update Plimsoll if a later one wrote it',
});

/** A line of version 1: a look without fingerprints, which may have been at any cases. */
export const formerLookSchema = z.strictObject({
  artifact: name,
  artifact_sha256: hashInHex,
  threshold,
  suite: name,
  issued: z.iso.datetime(),
  verdict: z.enum(VERDICTS),
  sealed_sha256: z.string(),
});

/** Cases that arrived together. Their fingerprints are in the first line that names the hash. */
const batchSchema = z.strictObject({
  n: count,
  /** Hash of the bytes of contents and questions, one after the other. */
  sha256: hashInHex,
  /** Base64 of 6 bytes a case, sorted. */
  contents: z.string().optional(),
  /** Base64 of 6 bytes a distinct question, by key, by text and by copyHash, sorted. Earlier versions left the last one out. */
  questions: z.string().optional(),
});

/** Written before the gate walks: a look whose outcome is not known yet. */
export const begunSchema = z.strictObject({
  schema_version: version2,
  artifact: name,
  artifact_sha256: hashInHex,
  policy: z.strictObject({ name, version: z.int().positive() }),
  suite: name,
  suite_sha256: hashInHex,
  look: z.int().positive(),
  confidence: z.number().gt(0).lt(1),
  planned_looks: z.int().positive().nullable(),
  delta: z.number().gt(0).lt(1),
  /** Hash of the plan by which the labels were drawn, if there is one. */
  label_plan_sha256: hashInHex.optional(),
  issued: z.iso.datetime(),
  n: count,
  /** Hash of the line of the same look to which cases were appended. */
  continues: hashInHex.nullable(),
  batches: z.array(batchSchema).min(1),
  /**
   * The hard cases of which recall is promised, if there are any: as `contents` their ids, as `questions` their texts and copies. Earlier versions left them out.
   */
  hard_cases: batchSchema.optional(),
  /** Hash of the line before, of all lines of version 1 together, or null. */
  previous: hashInHex.nullable(),
});

export const finishedSchema = z.strictObject({
  schema_version: version2,
  /** Hash of the line that began the look. */
  of: hashInHex,
  verdict: z.enum(VERDICTS),
  threshold: threshold.nullable(),
  previous: hashInHex,
});

export type FormerLine = z.infer<typeof formerLookSchema>;
export type BegunLine = z.infer<typeof begunSchema>;
export type FinishedLine = z.infer<typeof finishedSchema>;
export type BatchLine = z.infer<typeof batchSchema>;
/** A line as it is handed over to `appendLine`, which adds `previous`. */
export type NewLine = Omit<BegunLine, 'previous'> | Omit<FinishedLine, 'previous'>;

export interface Batch {
  readonly sha256: string;
  readonly contents: Float64Array;
  readonly questions: SortedSet;
}

/** Undefined if the fingerprints are not those of its hash. */
export function decodeBatch({ n, sha256: hash, ...columns }: BatchLine): Batch | undefined {
  const contentBytes = Buffer.from(columns.contents ?? '', 'base64');
  const questionBytes = Buffer.from(columns.questions ?? '', 'base64');
  if (batchHash(contentBytes, questionBytes) !== hash) return undefined;
  const [contents, questions] = [decodeColumn(contentBytes), decodeColumn(questionBytes)];
  return contents?.length === n && questions ? { sha256: hash, contents, questions } : undefined;
}

function batchHash(contents: Uint8Array, questions: Uint8Array): string {
  return createHash('sha256').update(contents).update(questions).digest('hex');
}

/** A batch as its line has it. @param known hashes of batches whose fingerprints are on file and not written twice */
export function batchLine(
  contents: Float64Array,
  questions: SortedSet,
  known: ReadonlySet<string>,
): BatchLine {
  const bytes = { contents: encodeColumn(contents), questions: encodeColumn(questions) };
  const hash = batchHash(bytes.contents, bytes.questions);
  const n = contents.length;
  if (known.has(hash)) return { n, sha256: hash };
  return {
    n,
    sha256: hash,
    contents: Buffer.from(bytes.contents).toString('base64'),
    questions: Buffer.from(bytes.questions).toString('base64'),
  };
}
