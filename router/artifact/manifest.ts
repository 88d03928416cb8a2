import { z } from 'zod';
import { PlimsollError } from '../errors.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex');
const share = z.number().min(0).max(1);
const count = z.int().min(0);

const encoderIdentitySchema = z.strictObject({
  id: z.string().min(1),
  sha256,
  pooling: z.enum(['mean', 'cls']),
  dimension: z.int().positive(),
  maxTokens: z.int().positive().nullable(),
});

/** A rung of the ladder: the name that decisions carry, and the model whose outcomes its head learned. */
const rungSchema = z.strictObject({ candidate: z.string().min(1), model: z.string().min(1) });

/** Two-sided, at its confidence. */
const boundsSchema = z.strictObject({ lower: z.number(), upper: z.number(), confidence: share });

/** What the threshold is expected to do, measured on training scores of cases that the fit behind them had not seen, or on the calibration cases. Undefined quantities are left out. */
const expectationSchema = z.strictObject({
  n: count,
  escalation_rate: share,
  /** Clopper-Pearson. */
  escalation_rate_bounds: boundsSchema,
  quality_loss: z.number().min(-1).max(1),
  /** Betting bounds of the mean. */
  quality_loss_bounds: boundsSchema,
  cost_saved: z.number().max(1).optional(),
  /** Percentile bootstrap: costs have no upper end, so this describes the spread and bounds nothing. */
  cost_saved_interval: boundsSchema.optional(),
});

const policySchema = z.strictObject({
  name: z.string().min(1),
  version: z.int().positive(),
  /** The largest predicted loss that is still sent to a cheaper candidate: a preview. What serves is the verdict's. */
  threshold: z.number().min(-1).max(1),
  /** The strictest threshold that is worth having by the training scores: where the gate's walk begins. From always-strong if left out. */
  walk_from: z.number().min(-1).max(1).optional(),
  chosen_by: z.discriminatedUnion('rule', [
    z.strictObject({ rule: z.literal('escalation-rate'), target: share }),
    z.strictObject({
      rule: z.literal('max-quality-loss'),
      target: z.number().gt(0).max(1),
      confidence: z.number().min(0.5).lt(1),
    }),
    z.strictObject({ rule: z.literal('fixed-threshold') }),
  ]),
  expected: expectationSchema.optional(),
});

const splitPartSchema = z.strictObject({ n: count, sha256 });

/** Percentile interval; a description of the spread, no guarantee. */
const intervalSchema = z.strictObject({ low: z.number(), high: z.number(), level: share });

/** Measured on the same cases as `expected`, so that the test split stays sealed for the gate. */
const metricsSchema = z.strictObject({
  n: count,
  apgr: z.number().optional(),
  apgr_interval: intervalSchema.optional(),
  cpt50: share.optional(),
  cpt80: share.optional(),
  auroc: z.record(z.string(), z.number()),
  brier: z.record(z.string(), z.number()),
  ece: z.record(z.string(), z.number()),
});

/** `manifest.json`: everything that an artifact is, each other file bound by its sha256. */
export const manifestSchema = z.strictObject({
  schema_version: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i, 'letters, digits, dot, dash and underscore'),
  created: z.iso.datetime(),
  encoder: encoderIdentitySchema,
  features: z.array(z.string()).min(1),
  ladder: z.array(rungSchema).min(2),
  classifier: z.strictObject({
    kind: z.enum(['lexicon', 'linear']),
    lambda: z.number().positive(),
    /** The standard deviation that structural features were given in training; 1 if left out. */
    structural_scale: z.number().positive().optional(),
    platt: z.array(z.strictObject({ slope: z.number(), offset: z.number() })),
  }),
  policy: policySchema,
  data: z.strictObject({
    quality_field: z.string(),
    /** Such as 0-100, if qualities were not written from 0 to 1. */
    quality_scale: z.string().optional(),
    /** Name of a field -> name in the files, if they differed. */
    columns: z.record(z.string(), z.string()).optional(),
    files: z.array(z.strictObject({ file: z.string(), sha256, rows: count })),
    rejected: count,
    excluded: count,
  }),
  split: z.strictObject({
    seed: z.int(),
    train: splitPartSchema,
    /** Of a recalibrated artifact, and of those that were trained before the gate chose the threshold. */
    calibration: splitPartSchema.optional(),
    test: splitPartSchema,
  }),
  metrics: metricsSchema.optional(),
  tools: z.record(z.string(), z.string()),
  files: z.record(z.string(), sha256),
});

export const goldenSchema = z
  .array(z.strictObject({ text: z.string().min(1), probabilities: z.array(share).min(2) }))
  .min(1);

export type Manifest = z.infer<typeof manifestSchema>;
export type Rung = z.infer<typeof rungSchema>;
export type GoldenCase = z.infer<typeof goldenSchema>[number];

/**
 * The bytes of a JSON file of an artifact or a store, checked against its schema.
 * @throws PlimsollError `invalid-artifact`, naming file and field.
 */
export function artifactJson<T>(schema: z.ZodType<T>, bytes: Uint8Array, file: string): T {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new PlimsollError('invalid-artifact', `${file} is not valid JSON.`, { place: { file }, cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const field = issue.path.join('.');
  throw new PlimsollError('invalid-artifact', `${file}, field "${field}": ${issue.message}.`, {
    place: { file, field },
  });
}
