import { z } from 'zod';
import { type Cascade, type CheckedRung, checkedRungs, JUDGE_HEADS, judgeColumns } from '../cascade/index.ts';
import { PlimsollError } from '../errors.ts';
import { COMMAND } from '../package.ts';

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
const rungSchema = z.strictObject({
  candidate: z.string().min(1),
  model: z.string().min(1),
  /** What the operator says about each of its replies, in place of labels: of people. */
  given: z.strictObject({ quality: share, cost_usd: z.number().min(0).optional() }).optional(),
});

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

const judgeHeadSchema = z.strictObject({ weights: z.array(z.number()), intercept: z.number() });

/** Below 1: a text that the classifier cannot read has a predicted loss of 1, and goes straight up. */
const skipLimit = z.number().min(-1).lt(1);

const WITHOUT_JUDGE = `is missing: a cascade without a judge can keep no reply. Train it with \`${COMMAND} train --cascade\``;

const checkedRungSchema = z.strictObject({
  judge: z.strictObject(
    {
      columns: z.array(z.string()),
      /** Least and greatest value of each column in training; null: no reply had it. Left out by earlier versions, and then nothing is bounded. */
      ranges: z.array(z.tuple([z.number(), z.number()]).nullable()).optional(),
      cheap: judgeHeadSchema,
      strong: judgeHeadSchema,
      better: judgeHeadSchema,
    },
    { error: ({ input }) => (input === undefined ? WITHOUT_JUDGE : undefined) },
  ),
  skip: skipLimit,
  path: z.array(z.strictObject({ accept: z.number().min(-1).max(1), skip: skipLimit })).min(1),
});

/** Replies are judged before they go out: see router/cascade. The policy's threshold is then the accept level. */
const cascadeSchema: z.ZodType<Cascade> = checkedRungSchema.extend({
  /** The rungs between the cheapest and the strongest, in order. */
  middle: z.array(checkedRungSchema).min(1).optional(),
});

const contentSchema = z.strictObject({
  schema_version: z.literal(1, {
    error:
      'this version of Plimsoll reads 1. Update Plimsoll if a later one wrote it, or train the artifact again',
  }),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i, 'letters, digits, dot, dash and underscore'),
  created: z.iso.datetime(),
  encoder: encoderIdentitySchema,
  features: z.array(z.string()).min(1),
  ladder: z.array(rungSchema).min(2),
  classifier: z.strictObject({
    kind: z.enum(['lexicon', 'linear']),
    lambda: z.number().positive(),
    /** What was learned; `lr` if left out. The others add tables of neighbours or clusters to classifier.onnx. */
    learner: z.enum(['lr+knn', 'lr+clusters', 'lr+clusters+knn']).optional(),
    /** Nothing similar was labelled if the nearest labelled case is less similar: so few percent of training cases are from those of other folds. */
    similarity_limit: z
      .strictObject({ percent: z.number().gt(0).max(50), similarity: z.number().min(-1).max(1) })
      .optional(),
    /** Requests that nothing labelled resembles go to the strongest candidate unscored. Left out: they are scored as any. */
    abstain: z.literal('escalate').optional(),
    /** Cross-validated log loss of each that was compared, on the training cases. */
    compared: z.array(z.strictObject({ learner: z.string(), log_loss: z.number() })).optional(),
    /** The standard deviation that structural features were given in training; 1 if left out. */
    structural_scale: z.number().positive().optional(),
    platt: z.array(z.strictObject({ slope: z.number(), offset: z.number() })),
  }),
  policy: policySchema,
  /** Quality that the cheapest candidate is expected to lose against the strongest: intercept + slope * predicted loss. */
  expected_loss: z.strictObject({ slope: z.number().min(0), intercept: z.number() }).optional(),
  /** Left out if the prompt alone decides. */
  cascade: cascadeSchema.optional(),
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
    /** Only of recalibrated artifacts, and of those trained before the gate chose the threshold. */
    calibration: splitPartSchema.optional(),
    test: splitPartSchema,
  }),
  metrics: metricsSchema.optional(),
  tools: z.record(z.string(), z.string()),
  files: z.record(z.string(), sha256),
});

/** `manifest.json`: everything that an artifact is, each other file bound by its sha256. */
export const manifestSchema = contentSchema.superRefine(({ cascade, classifier, ladder }, { addIssue }) => {
  if (classifier.abstain !== undefined && classifier.similarity_limit === undefined) {
    const message = `needs similarity_limit beside it. Train the artifact with \`${COMMAND} train --abstain\``;
    addIssue({ code: 'custom', path: ['classifier', 'abstain'], message });
  }
  if (cascade === undefined) return;
  for (const { field, fault } of cascadeFaults(cascade, ladder)) {
    addIssue({ code: 'custom', path: ['cascade', ...field], message: fault });
  }
});

interface CascadeFault {
  readonly field: readonly (string | number)[];
  readonly fault: string;
}

/** What its shape alone does not show: a judge of other columns or models would judge without a word, and wrongly. */
function* cascadeFaults(cascade: Cascade, ladder: readonly Rung[]): Generator<CascadeFault> {
  const rungs = checkedRungs(cascade);
  if (rungs.length !== ladder.length - 1) {
    yield { field: ['middle'], fault: judgeCountFault(rungs.length, ladder) };
    return;
  }
  for (const [rung, checked] of rungs.entries()) {
    const at = rung === 0 ? [] : ['middle', rung - 1];
    for (const { field, fault } of checkedRungFaults(checked, ladder))
      yield { field: [...at, ...field], fault };
  }
}

function judgeCountFault(judges: number, ladder: readonly Rung[]): string {
  const names = ladder.slice(0, -1).map(({ candidate }) => candidate);
  const missing = names.slice(judges);
  return missing.length > 0
    ? `has no judge for ${missing.join(', ')}: each candidate but the strongest needs one. Train the cascade on replies of all of them`
    : `there are ${judges} judges, and only ${names.join(', ')} can be judged: the ladder has ${ladder.length} candidates, and the strongest needs none`;
}

function* checkedRungFaults({ judge, path }: CheckedRung, ladder: readonly Rung[]): Generator<CascadeFault> {
  const known = judgeColumns(ladder.map(({ model }) => model));
  const different = Math.max(known.length, judge.columns.length);
  for (let i = 0; i < different; i++) {
    const [own, found] = [known[i], judge.columns[i]];
    if (own === found) continue;
    const fault =
      found === undefined
        ? `ends before "${own}", which this version of Plimsoll gives a judge of this ladder`
        : `is "${found}", where this version of Plimsoll has ${own === undefined ? 'no column' : `"${own}"`} for a judge of this ladder`;
    yield {
      field: ['judge', 'columns', i],
      fault: `${fault}: train the cascade with this version, or serve it with the version that trained it`,
    };
    return;
  }
  const { ranges } = judge;
  if (ranges !== undefined && ranges.length !== known.length)
    yield { field: ['judge', 'ranges'], fault: `has ${ranges.length} ranges for ${known.length} columns` };
  const crossed = ranges?.findIndex((range) => range !== null && range[0] > range[1]) ?? -1;
  if (crossed >= 0)
    yield { field: ['judge', 'ranges', crossed], fault: 'the least value must not be above the greatest' };
  for (const head of JUDGE_HEADS) {
    const { length } = judge[head].weights;
    if (length !== known.length)
      yield { field: ['judge', head, 'weights'], fault: `has ${length} weights for ${known.length} columns` };
  }
  for (let i = 1; i < path.length; i++) {
    if (path[i]!.accept <= path[i - 1]!.accept)
      yield { field: ['path', i, 'accept'], fault: 'must be above the one before it' };
    if (path[i]!.skip < path[i - 1]!.skip)
      yield { field: ['path', i, 'skip'], fault: 'must be at least the one before it' };
  }
}

export const goldenSchema = z
  .array(z.strictObject({ text: z.string().min(1), probabilities: z.array(share).min(2) }))
  .min(1);

export type Manifest = z.infer<typeof manifestSchema>;
export type Rung = z.infer<typeof rungSchema>;
export type GoldenCase = z.infer<typeof goldenSchema>[number];

/** Whether the gate finds the threshold, by a walk. Of any other policy it judges the manifest's threshold, and no other. */
export function isWalked({ chosen_by: { rule } }: Pick<Manifest['policy'], 'chosen_by'>): boolean {
  return rule === 'max-quality-loss';
}

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
