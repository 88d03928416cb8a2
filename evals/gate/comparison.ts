import path from 'node:path';
import { z } from 'zod';
import { conditionSchema, sha256OfJson } from '../../router/artifact/index.ts';
import { replaceFile } from '../../router/files/index.ts';

/** Beside the challenger's verdict.json. */
const COMPARISON_FILE = 'comparison.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex');
const share = z.number().min(0).max(1);

/** One-sided betting bounds, each at the confidence of `quality_drop`. */
const boundedSchema = z.strictObject({ value: z.number(), lower: z.number(), upper: z.number() });

const figuresSchema = z.strictObject({
  escalation_rate: share,
  /** Mean of q(strongest) - q(routed). */
  quality_loss: boundedSchema,
  /** Mean US dollars a case; null unless every case's cost is known. */
  cost_usd: z.number().nullable(),
});

/** better: upper < 0; not-worse: upper <= tolerance; worse: lower > tolerance; else undecided. */
const resultSchema = z.enum(['better', 'not-worse', 'worse', 'undecided']);

/** What two policies do to the same cases. Differences of rate and cost are challenger minus champion. */
export const measuredSchema = z.strictObject({
  result: resultSchema,
  /** Of the mean of q(by champion) - q(by challenger): value, bounds, the tolerance as its limit, further cases. */
  quality_drop: conditionSchema,
  escalation_difference: boundedSchema,
  /** Percentile bootstrap, two-sided: costs have no upper end, so it describes the spread and bounds nothing. */
  cost_difference_usd: z
    .strictObject({ value: z.number(), low: z.number(), high: z.number(), level: share })
    .nullable(),
  champion: figuresSchema,
  challenger: figuresSchema,
});

const sideSchema = z.strictObject({ name: z.string().min(1), sha256, threshold: z.number().min(-1).max(1) });

const contentSchema = z.strictObject({
  schema_version: z.literal(1),
  issued: z.iso.datetime(),
  /** Names, sha256 of their manifest.json, and thresholds: the comparison speaks of these two and no others. */
  champion: sideSchema,
  challenger: sideSchema,
  suite: z.strictObject({ name: z.string().min(1), sha256 }),
  sealed: z.strictObject({ n: z.int().positive(), sha256 }),
  measured: measuredSchema,
  tools: z.record(z.string(), z.string()),
});

/** `comparison.json`: a challenger beside the champion on the sealed cases, bound to both and to itself by `sha256`. */
export const comparisonSchema = contentSchema.extend({ sha256 });

export type Comparison = z.infer<typeof comparisonSchema>;
export type ComparisonContent = z.infer<typeof contentSchema>;
export type Measured = z.infer<typeof measuredSchema>;
export type PolicyFigures = z.infer<typeof figuresSchema>;
export type Bounded = z.infer<typeof boundedSchema>;

/** The comparison with the hash of its content, by which a later change shows. */
export function sealedComparison(content: ComparisonContent): Comparison {
  return { ...content, sha256: sha256OfJson(content) };
}

/** Lays it into the challenger's folder, whole or not at all. @throws PlimsollError `io` */
export function writeComparison(folder: string, comparison: Comparison): void {
  replaceFile(path.join(folder, COMPARISON_FILE), `${JSON.stringify(comparison, null, 2)}\n`, {
    what: 'the comparison',
  });
}
