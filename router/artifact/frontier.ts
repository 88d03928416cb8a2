import path from 'node:path';
import { z } from 'zod';
import { PlimsollError, systemErrorCode } from '../errors.ts';
import { readBounded, replaceFile } from '../files/index.ts';
import { artifactJson } from './manifest.ts';
import { sha256OfJson } from './sha256.ts';
import type { StoredVerdict, Verdict } from './verdict.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex');
const share = z.number().min(0).max(1);

/** What a threshold does with the sealed cases. */
const pointSchema = z.strictObject({
  threshold: z.number().min(-1).max(1),
  /** Share of requests above the cheapest rung. */
  escalation_rate: share,
  /** Mean loss against always-strong: of a case without a label the worst. Null if it cannot be measured. */
  quality_loss: z.number().min(-1).max(1).nullable(),
  /** Its upper bound at the confidence of the look: of one threshold that was fixed beforehand, and a description of one chosen by it. */
  loss_upper: z.number().min(-1).max(1).nullable(),
  /** Variance of the loss of a case, by which further cases are forecast. */
  loss_variance: z.number().min(0).max(1),
  /** Mean US dollars a case; null unless every cost is known. */
  cost_usd: z.number().min(0).nullable(),
});

const contentSchema = z.strictObject({
  schema_version: z.literal(1),
  artifact_sha256: sha256,
  verdict_sha256: sha256,
  /** From strict thresholds to loose ones: that of the verdict is among them. */
  points: z.array(pointSchema).min(1).max(500),
});
const frontierSchema = contentSchema.extend({ sha256 });

/** What every threshold would do, measured by the gate beside a verdict. It proves nothing, and nothing serves by it. */
export type Frontier = z.infer<typeof contentSchema>;
export type FrontierPoint = z.infer<typeof pointSchema>;

const FRONTIER_FILE = 'frontier.json';
/** In bytes: five hundred points have a fifth of it. */
const LARGEST = 2 ** 20;

/** Writes `frontier.json` into an artifact's folder. @throws PlimsollError `io` */
export function writeFrontier(folder: string, verdict: Verdict, points: readonly FrontierPoint[]): void {
  const content: Frontier = {
    schema_version: 1,
    artifact_sha256: verdict.artifact.sha256,
    verdict_sha256: verdict.sha256,
    points: [...points],
  };
  const text = `${JSON.stringify({ ...content, sha256: sha256OfJson(content) })}\n`;
  replaceFile(path.join(folder, FRONTIER_FILE), text, { what: 'the frontier' });
}

/**
 * What the gate measured beside a verdict.
 * @returns undefined if the folder has none
 * @throws PlimsollError `invalid-artifact` if it cannot be read, was edited, or belongs to another verdict
 */
export function readFrontier(folder: string, verdict: StoredVerdict): Frontier | undefined {
  const file = path.join(folder, FRONTIER_FILE);
  const remedy = 'Run the gate again: it writes the file anew.';
  const refuse = (why: string, cause?: unknown) =>
    new PlimsollError('invalid-artifact', `${file} ${why}. ${remedy}`, {
      place: { file },
      ...(cause !== undefined && { cause }),
    });
  let bytes: Uint8Array;
  try {
    bytes = readBounded(file, { mostBytes: LARGEST, code: 'invalid-artifact', remedy });
  } catch (cause) {
    if (cause instanceof PlimsollError) throw cause;
    if (systemErrorCode(cause) === 'ENOENT') return undefined;
    throw refuse(`cannot be read (${systemErrorCode(cause)})`, cause);
  }
  const { sha256: stated, ...content } = artifactJson(frontierSchema, bytes, file);
  if (sha256OfJson(content) !== stated) throw refuse('was changed after the gate wrote it');
  if (content.artifact_sha256 !== verdict.artifact.sha256 || content.verdict_sha256 !== verdict.sha256)
    throw refuse('belongs to another artifact or another verdict');
  return content;
}
