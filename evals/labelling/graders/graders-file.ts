import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { PlimsollError, systemErrorCode } from '../../../router/errors.ts';
import { firstFault } from '../../../router/unknown-field.ts';
import { readYaml, YamlFault, type YamlFile } from '../../../router/yaml-file.ts';
import { type Judge, judgeGrader, judgeSchema } from '../judge/judge-grader.ts';
import { JUDGE_PROMPTS_SHA256 } from '../judge/judge-prompts.ts';
import { type JudgeReport, JudgeTally } from '../judge/judge-report.ts';
import { type Grade, type Grader, type GraderTools, missing, type ReplySample } from './grader.ts';
import { jsonFieldsGrader, jsonFieldsSchema, jsonSchemaGrader, jsonSchemaSchema } from './json-graders.ts';
import { numberGrader, numberSchema } from './number-grader.ts';
import {
  codeGrader,
  codeSchema,
  commandGrader,
  commandSchema,
  httpGrader,
  httpSchema,
  sqlGrader,
  sqlSchema,
} from './program-graders.ts';
import { similarityGrader, similaritySchema } from './similarity-grader.ts';
import {
  containsGrader,
  containsSchema,
  exactGrader,
  exactSchema,
  refusalGrader,
  refusalSchema,
  regexGrader,
  regexSchema,
} from './text-graders.ts';

const weight = { weight: z.number().positive().default(1).describe('In the mean.') };

const graderSchema = z.discriminatedUnion('type', [
  exactSchema.extend(weight),
  numberSchema.extend(weight),
  containsSchema.extend(weight),
  regexSchema.extend(weight),
  refusalSchema.extend(weight),
  jsonSchemaSchema.extend(weight),
  jsonFieldsSchema.extend(weight),
  similaritySchema.safeExtend(weight),
  codeSchema.extend(weight),
  sqlSchema.extend(weight),
  commandSchema.extend(weight),
  httpSchema.extend(weight),
  judgeSchema.extend(weight),
]);
type AnyGrader = z.output<typeof graderSchema>;

const name = z.string().min(1);

const ruleSchema = z.strictObject({
  when: z
    .union([name, z.array(name).min(1)])
    .optional()
    .describe('The tasks of the rows that it grades; left out: all that no rule before it grades.'),
  combine: z
    .enum(['all', 'any', 'mean'])
    .default('mean')
    .describe('Of several graders: the least quality, the greatest, or the weighted mean.'),
  use: z.array(graderSchema).min(1),
});

/** A file of graders: rules in order, of which the first that fits a row grades its replies. */
export const gradersFileSchema = z.strictObject({ graders: z.array(ruleSchema).min(1) });
type Rule = z.output<typeof ruleSchema>;

/** What grades the replies of each row. */
export interface Graders {
  /** A hash of the rules, the judge and its prompts, in hex: labels by other rules are different labels. */
  readonly sha256: string;
  /** Undefined if no model judges. */
  readonly judge: { readonly model: string; report(): JudgeReport } | undefined;
  /** @returns undefined if no rule is for the task */
  forTask(task: string | undefined): TaskGrader | undefined;
}

export interface TaskGrader {
  readonly types: readonly string[];
  readonly needsReference: boolean;
  /** Calls of the judge for a row of this many candidates. */
  judgeCalls(candidates: number): number;
  grade(sample: ReplySample, tools: GraderTools): Promise<Grade>;
}

/**
 * Reads the file that --graders names.
 * @throws PlimsollError `invalid-input` naming file, line and field; `not-found`, `io`
 */
export function readGraders(file: string, options: GraderOptions = {}): Graders {
  const yaml = yamlOf(file);
  return opened(checked(yaml.value, file, yaml.lineOf), options);
}

function checked(
  value: unknown,
  source: string,
  lineOf: YamlFile['lineOf'] | (() => undefined),
): z.output<typeof gradersFileSchema> {
  const parsed = gradersFileSchema.safeParse(value);
  const fault = parsed.success
    ? (unreachableRule(parsed.data.graders) ?? missingDatabase(parsed.data.graders))
    : firstFault(gradersFileSchema, parsed.error.issues);
  if (parsed.success && fault === undefined) return parsed.data;
  const { path, message } = fault!;
  const line = lineOf(path);
  const field = path.join('.') || '(top level)';
  throw new PlimsollError(
    'invalid-input',
    `${source}${line === undefined ? '' : `, line ${line}`}, field "${field}": ${message.replace(/[.]$/, '')}.`,
    { place: { file: source, field, ...(line !== undefined && { line }) } },
  );
}

interface RuleFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A rule that grades no row, since an earlier one grades all that it is for: it would be noticed only by labels that are missing or wrong. */
function unreachableRule(rules: readonly Rule[]): RuleFault | undefined {
  const taken = new Map<string, number>();
  for (const [at, rule] of rules.entries()) {
    const all = rules.findIndex(({ when }) => when === undefined);
    if (all >= 0 && all < at)
      return {
        path: ['graders', at],
        message: `never grades anything: graders.${all} has no "when" and grades all rows. Put it last`,
      };
    const tasks = tasksOf(rule);
    const free = tasks?.filter((task) => !taken.has(task));
    if (tasks !== undefined && free?.length === 0) {
      const message = `never grades anything: graders.${taken.get(tasks[0]!)} comes first for "${tasks[0]}". Merge the two`;
      return { path: ['graders', at], message };
    }
    for (const task of free ?? []) taken.set(task, at);
  }
  return undefined;
}

/** Before any reply is paid for. */
function missingDatabase(rules: readonly Rule[]): RuleFault | undefined {
  for (const [at, { use }] of rules.entries()) {
    const which = use.findIndex((grader) => grader.type === 'sql' && !existsSync(grader.database));
    const grader = use[which];
    if (grader?.type !== 'sql') continue;
    const message = `there is no file ${grader.database}`;
    return { path: ['graders', at, 'use', which, 'database'], message };
  }
  return undefined;
}

function yamlOf(file: string): YamlFile {
  try {
    return readYaml(file);
  } catch (cause) {
    if (cause instanceof YamlFault) {
      const { line, message } = cause;
      const where = line === undefined ? file : `${file}, line ${line}`;
      throw new PlimsollError('invalid-input', `${where}: ${message}.`, {
        place: { file, ...(line !== undefined && { line }) },
      });
    }
    const code = systemErrorCode(cause);
    const isMissing = code === 'ENOENT';
    throw new PlimsollError(
      isMissing ? 'not-found' : 'io',
      isMissing ? `There is no file of graders at ${file}.` : `The graders ${file} cannot be read (${code}).`,
      { place: { file }, cause },
    );
  }
}

/** What a file of graders says, in memory. */
export type GraderRules = z.input<typeof gradersFileSchema>;

export interface GraderOptions {
  /** Code that models wrote may be run. Default false. */
  readonly allowCode?: boolean;
  /** The judge, `<provider>/<model>`; needed by graders of type judge. */
  readonly judge?: string | undefined;
}

/** @throws PlimsollError `invalid-input`, naming the field */
export function openGraders(given: GraderRules, options: GraderOptions = {}): Graders {
  return opened(
    checked(given, 'graders', () => undefined),
    options,
  );
}

function opened(
  { graders: rules }: z.output<typeof gradersFileSchema>,
  { allowCode = false, judge: judgeModel }: GraderOptions,
): Graders {
  const runsCode = rules.some(({ use }) => use.some(({ type }) => type === 'code'));
  if (runsCode && !allowCode) {
    throw new PlimsollError(
      'invalid-input',
      'A grader of type code runs what models wrote, with the rights of this process. Say so with --run-code, and let its command start a container.',
      { place: { field: 'graders' } },
    );
  }
  const judges = rules.some(({ use }) => use.some(({ type }) => type === 'judge'));
  if (judges && judgeModel === undefined) {
    throw new PlimsollError(
      'invalid-input',
      'A grader of type judge needs a model that judges: --judge <provider>/<model>, of another family than the candidates.',
      { place: { field: 'judge' } },
    );
  }
  const judge =
    judges && judgeModel !== undefined ? { model: judgeModel, tally: new JudgeTally(judgeModel) } : undefined;
  const graders = rules.map((rule) => ({ tasks: tasksOf(rule), grader: taskGrader(rule, judge) }));
  const identity = judge === undefined ? rules : [rules, judge.model, JUDGE_PROMPTS_SHA256];
  return {
    sha256: createHash('sha256').update(JSON.stringify(identity)).digest('hex'),
    judge: judge && { model: judge.model, report: () => judge.tally.report() },
    forTask: (task) =>
      graders.find(({ tasks }) => tasks === undefined || (task !== undefined && tasks.includes(task)))
        ?.grader,
  };
}

function tasksOf({ when }: Rule): readonly string[] | undefined {
  return typeof when === 'string' ? [when] : when;
}

function taskGrader({ combine, use }: Rule, judge: Judge | undefined): TaskGrader {
  const graders = use.map((options) => ({ weight: options.weight, grader: openGrader(options, judge) }));
  return {
    types: graders.map(({ grader }) => grader.type),
    needsReference: graders.some(({ grader }) => grader.needsReference),
    judgeCalls: (candidates) => use.reduce((sum, options) => sum + callsOf(options, candidates), 0),
    async grade(sample, tools) {
      const grades = await Promise.all(graders.map(({ grader }) => gradeOrMissing(grader, sample, tools)));
      return combined(
        combine,
        grades,
        graders.map((one) => one.weight),
      );
    },
  };
}

/** Pairwise in both orders, against the strongest. */
function callsOf(options: AnyGrader, candidates: number): number {
  if (options.type !== 'judge') return 0;
  return options.votes * (options.style === 'pairwise' ? 2 * (candidates - 1) : candidates);
}

function openGrader(options: AnyGrader, judge: Judge | undefined): Grader {
  switch (options.type) {
    case 'exact':
      return exactGrader(options);
    case 'number':
      return numberGrader(options);
    case 'contains':
      return containsGrader(options);
    case 'regex':
      return regexGrader(options);
    case 'refusal':
      return refusalGrader(options);
    case 'json-schema':
      return jsonSchemaGrader(options);
    case 'json-fields':
      return jsonFieldsGrader(options);
    case 'similarity':
      return similarityGrader(options);
    case 'code':
      return codeGrader(options);
    case 'sql':
      return sqlGrader(options);
    case 'command':
      return commandGrader(options);
    case 'http':
      return httpGrader(options);
    case 'judge':
      if (judge === undefined) throw new PlimsollError('internal', 'A grader of type judge has no judge.');
      return judgeGrader(options, judge);
  }
}

/** A grader that crashes leaves the outcome without a label. */
async function gradeOrMissing(grader: Grader, sample: ReplySample, tools: GraderTools): Promise<Grade> {
  try {
    return await grader.grade(sample, tools);
  } catch (error) {
    if (error instanceof PlimsollError) throw error;
    return missing(
      `the grader ${grader.type} failed (${error instanceof Error ? error.name : typeof error})`,
    );
  }
}

function combined(combine: Rule['combine'], grades: readonly Grade[], weights: readonly number[]): Grade {
  const qualities = grades.flatMap((grade) => (grade.kind === 'graded' ? [grade.quality] : []));
  const source = grades.some((grade) => grade.kind === 'graded' && grade.source === 'judge')
    ? ('judge' as const)
    : ('grader' as const);
  const label = (quality: number): Grade => ({ kind: 'graded', quality, source });
  if (combine === 'any' && qualities.includes(1)) return label(1);
  if (combine === 'all' && qualities.includes(0)) return label(0);
  const lacking = grades.find((grade) => grade.kind === 'missing');
  if (lacking !== undefined) return lacking;
  if (combine === 'all') return label(Math.min(...qualities));
  if (combine === 'any') return label(Math.max(...qualities));
  const total = weights.reduce((sum, one) => sum + one, 0);
  return label(qualities.reduce((sum, quality, i) => sum + (quality * (weights[i] ?? 0)) / total, 0));
}
