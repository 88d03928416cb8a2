import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { sha256OfJson } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { COMMAND } from '../../router/package.ts';
import { readJsonFile } from '../case-files/index.ts';
import type { Case } from '../cases/index.ts';
import { poolNote } from './repeats.ts';

/** Scores are counted in steps of 1 / STEPS_PER_UNIT, the steps in which thresholds are tried. */
export const STEPS_PER_UNIT = 1000;

/** 0.029 * 1000 is 28.999… in binary. */
const ROUNDING = 1e-6;

const count = z.int().min(0);
const share = z.number().min(0).max(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex');

/** What was planned before any label was seen. */
const contentSchema = z.strictObject({
  schema_version: z.literal(1, {
    error: 'this version of Plimsoll reads 1: update Plimsoll if a later one wrote it',
  }),
  artifact: z.strictObject({ name: z.string(), sha256 }),
  /** The quality loss that is to be certified, and how the limit follows from it. */
  margin: z.number().gt(0).max(1),
  limit_by: z.enum(['predicted-loss', 'given']),
  /** A request is labelled only if its score is at most this; no threshold above it may be certified. */
  limit: z.number().min(-1).lt(1),
  pool: z.strictObject({
    /** Requests, without those that the artifact has seen. */
    rows: count.min(1),
    excluded: z.strictObject({ seen: count, seen_group: count }),
    /** Prompts that repeat the text of another, or are copies of it but for case, white space, punctuation or a number at either end. Earlier versions left it out. */
    repeats: z.strictObject({ texts: count, copies: count }).optional(),
    files: z.array(z.strictObject({ file: z.string(), sha256 })).min(1),
  }),
  below_limit: z.strictObject({
    rows: count.min(1),
    share,
    interval: z.strictObject({ low: share, high: share, confidence: share }),
    /** `counts[i]` requests have a score of at most (first_step + i) / 1000 and above the step before. */
    first_step: z.int(),
    counts: z.array(count).min(1),
  }),
  drawn: z.strictObject({ n: count.min(1), keys_sha256: sha256 }),
  created: z.iso.datetime(),
});

/** Bound to itself by the hash of the rest: a share that was made smaller would let more losses pass. */
const labelPlanSchema = contentSchema.extend({ sha256 });

/** Which prompts of a pool were drawn to be labelled, and how. Holds no prompt. */
export type LabelPlan = z.output<typeof labelPlanSchema>;

/** The plan with the hash of its content, by which a later change shows. */
export function sealedPlan(content: z.output<typeof contentSchema>): LabelPlan {
  return { ...content, sha256: sha256OfJson(content) };
}

const PLAN_ENDING = '.plan.json';

/** Where the plan of drawn prompts goes: `to-label.plan.json` of `to-label.jsonl`. */
export function planFileOf(drawn: string): string {
  return `${drawn.replace(/\.(jsonl|ndjson|json)(\.gz)?$/i, '')}${PLAN_ENDING}`;
}

/**
 * Called before a look is taken: what a plan drew is no sample of all requests, and judging it as one would spend the look for nothing. Drawn rows
 * name their plan, wherever it lies and even if they are only some of those that it drew.
 * @param files of the cases; of rows that have lost the name a plan is looked for in their folders, by the name of a file or by the keys of the cases
 * @param fix what to give in their place, such as `Give cases`; the sentence goes on with ` that were drawn from all requests`
 * @throws PlimsollError `invalid-input` if a plan drew the cases
 */
export function requireAllRequests(
  files: readonly string[],
  cases: readonly Pick<Case, 'key' | 'labelPlan'>[],
  fix: (plan: string) => string = () => 'Give cases',
): void {
  const drawn = cases.filter(({ labelPlan }) => labelPlan !== undefined);
  const plan = planBeside(files, drawn[0]?.labelPlan, hashKeys(cases.map(({ key }) => key)));
  if (plan === undefined && drawn.length === 0) return;
  const name = plan ?? `the plan with the sha256 ${drawn[0]!.labelPlan}`;
  const [where, by] = plan === undefined ? [files.join(', '), name] : [plan, 'this plan'];
  const which = drawn.length === 0 || drawn.length === cases.length ? '' : `${drawn.length} of `;
  throw new PlimsollError(
    'invalid-input',
    `${where}: by ${by} ${which}the cases were drawn from the requests that may stay cheap, and here they would be judged as if they came from all requests. No look was taken. ${fix(name)} that were drawn from all requests.`,
    { place: { file: plan ?? files[0] ?? '' } },
  );
}

/**
 * Rows that name a plan may be judged by that one alone: another may give their requests a smaller share.
 * @throws PlimsollError `invalid-input` if one names another plan
 */
export function requireDrawnBy(
  file: string,
  plan: LabelPlan,
  cases: readonly Pick<Case, 'id' | 'labelPlan'>[],
): void {
  const other = cases.find(({ labelPlan }) => labelPlan !== undefined && labelPlan !== plan.sha256);
  if (other === undefined) return;
  throw new PlimsollError(
    'invalid-input',
    `${file}: the case ${JSON.stringify(other.id)} was drawn by another plan, with the sha256 ${other.labelPlan}. Give that one.`,
    { place: { file, field: 'sha256' } },
  );
}

/** A plan that cannot be read is none. */
function planBeside(
  files: readonly string[],
  planSha256: string | undefined,
  keysSha256: string,
): string | undefined {
  const named = new Set(files.map((file) => path.normalize(planFileOf(file))));
  const folders = [...new Set(files.map((file) => path.dirname(file)))];
  return folders.flatMap(plansIn).find((file) => {
    const plan = readablePlan(file);
    if (plan === undefined) return false;
    if (planSha256 !== undefined) return plan.sha256 === planSha256;
    return named.has(file) || plan.drawn.keys_sha256 === keysSha256;
  });
}

function plansIn(folder: string): string[] {
  const names = namesIn(folder).filter((name) => name.endsWith(PLAN_ENDING));
  return names.map((name) => path.join(folder, name));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // such as of /dev/stdin
  }
}

function readablePlan(file: string): LabelPlan | undefined {
  try {
    return readLabelPlan(file);
  } catch {
    return undefined;
  }
}

/**
 * Reads a plan that plan-labels has written.
 * @throws PlimsollError 'not-found', 'io': the file; 'invalid-input': no plan, of another version, numbers that contradict each other, or a change since
 */
export function readLabelPlan(file: string): LabelPlan {
  const parsed = labelPlanSchema.safeParse(readJsonFile(file, () => badPlan(file, 'not valid JSON')));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw badPlan(file, issue?.message ?? 'not valid', issue?.path.map(String).join('.'));
  }
  const plan = parsed.data;
  const { pool, below_limit: below, drawn } = plan;
  const counted = below.counts.reduce((sum, one) => sum + one, 0);
  if (counted !== below.rows) {
    throw badPlan(
      file,
      `they sum to ${counted}, but ${below.rows} rows are below the limit`,
      'below_limit.counts',
    );
  }
  if (below.rows > pool.rows)
    throw badPlan(file, `more than the ${pool.rows} of the pool`, 'below_limit.rows');
  if (below.share !== below.rows / pool.rows)
    throw badPlan(file, `must be ${below.rows} of ${pool.rows}`, 'below_limit.share');
  if (drawn.n > below.rows) throw badPlan(file, `more than the ${below.rows} below the limit`, 'drawn.n');
  const { sha256: hash, ...content } = plan;
  if (sha256OfJson(content) !== hash)
    throw badPlan(
      file,
      'it was changed after plan-labels wrote it: this is not the hash of the rest',
      'sha256',
    );
  return plan;
}

/**
 * The share of the plan's pool that a threshold sends to the strongest model, 0..1.
 * @param threshold at most the limit; between two steps of 0.001 the lower one counts, at which more is escalated
 * @throws PlimsollError 'invalid-input': above the limit, where the plan has counted nothing
 */
export function escalatedShare({ pool, limit, below_limit: below }: LabelPlan, threshold: number): number {
  if (threshold > limit) {
    throw new PlimsollError(
      'invalid-input',
      `The threshold ${threshold} is above the limit ${limit} of the plan of labels.`,
    );
  }
  const steps = Math.floor(threshold * STEPS_PER_UNIT + ROUNDING) - below.first_step + 1;
  const kept = below.counts.slice(0, Math.max(0, steps)).reduce((sum, one) => sum + one, 0);
  return 1 - kept / pool.rows;
}

/** What of the plan's pool repeats, as a note; undefined if little does, or the plan is from before it was counted. */
export function repeatsInPool({ pool: { rows, repeats } }: LabelPlan): string | undefined {
  return repeats && poolNote({ repeats: repeats.texts, copies: repeats.copies }, rows);
}

/** sha256 over the sorted keys of cases, in hex: whether labelled cases are the ones that were drawn. */
export function hashKeys(keys: readonly string[]): string {
  return createHash('sha256')
    .update([...keys].sort().join('\n'))
    .digest('hex');
}

function badPlan(file: string, reason: string, field?: string): PlimsollError {
  const where = field ? `${field}: ` : '';
  return new PlimsollError(
    'invalid-input',
    `${file}: this is no plan of labels that this version can use: ${where}${reason}. Restore the file, or plan again with \`${COMMAND} plan-labels\`; labels that were drawn by a lost plan are not the random sample that a new one describes.`,
    { place: { file, ...(field && { field }) } },
  );
}
