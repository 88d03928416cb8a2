import { type Command, InvalidArgumentError } from 'commander';
import {
  type ColumnMap,
  DEFAULT_QUALITY_FIELD,
  type LoadOptions,
  parseColumnMap,
  parseQualityScale,
  type QualityScale,
} from '../evals/cases/index.ts';
import type { LabelCandidate } from '../evals/labelling/index.ts';
import { DEFAULT_RULE, loadLabelled } from '../evals/lifecycle/index.ts';
import { requirePromise, type ThresholdRule } from '../evals/threshold/index.ts';
import { type Config, type ConfigOverrides, loadConfig } from '../router/config/index.ts';
import { parseEncoderSpec } from '../router/encoders/index.ts';
import { PlimsollError } from '../router/errors.ts';
import { LEARNERS, type Learner } from '../router/train/index.ts';
import { printNotes, showProgress } from './terminal.ts';
import { asUsage, UsageError } from './usage-error.ts';

/** Commander's parsers of values: what they refuse is wrong usage. */
export function share(text: string): number {
  return numberBetween(0, 1)(text);
}

export function numberBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a number from ${low} to ${high}.`);
  };
}

export function wholeNumberBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
  };
}

/** An encoder's name, which `usage` refuses unless it can be one. @throws PlimsollError as parseEncoderSpec */
export function encoderId(text: string): string {
  parseEncoderSpec(text);
  return text;
}

/** A parser of the library as one of commander's. */
export function usage<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof PlimsollError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

/** A time given by a flag; now if it is left out. @throws UsageError naming the flag */
export function isoTime(flag: string, text: string | undefined): Date {
  const time = text === undefined ? new Date() : new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new UsageError(`${flag} must be an ISO time such as 2026-01-31T12:00:00Z, not "${text}".`);
}

/** Flags of the commands that read a configuration, which override it. */
export interface ConfigFlags extends Omit<ConfigOverrides, 'defaultPolicy'> {
  readonly config?: string;
  readonly policy?: string;
}

export function configFromFlags({
  config,
  policy,
  artifact,
  allowUngated,
  host,
  port,
  logLevel,
}: ConfigFlags): Config {
  const overrides: ConfigOverrides = { artifact, defaultPolicy: policy, allowUngated, host, port, logLevel };
  return loadConfig(config, process.env, overrides);
}

/** Flags that say how labelled data are written. */
export interface ReadingFlags {
  readonly qualityScale?: QualityScale;
  readonly map?: ColumnMap;
}

export function addReadingFlags(command: Command): Command {
  return addMapFlag(
    command.option(
      '--quality-scale <scale>',
      'how qualities are written: 0-1, 0-100, 1-5 or other ends, boolean, percent (default: what the data show)',
      usage(parseQualityScale),
    ),
  );
}

export function addMapFlag(command: Command): Command {
  return command.option(
    '--map <names>',
    'names in the data, where they differ: prompt=question,small.quality=gpt-4o-mini',
    usage(parseColumnMap),
  );
}

/** Flags for bad rows. */
export interface RejectFlags {
  readonly maxRejects: number;
  readonly rejects?: string;
}

export function addRejectFlags(command: Command): Command {
  return command
    .option('--max-rejects <share>', 'stop when more than this share of the rows is bad', share, 0.02)
    .option('--rejects <file>', 'write the bad rows here, with line, field and reason');
}

/** The flags as loadCases takes them. */
export function readingOptions({
  qualityScale,
  map,
}: ReadingFlags): Pick<LoadOptions, 'qualityScale' | 'columns'> {
  return { ...(qualityScale && { qualityScale }), ...(map && { columns: map }) };
}

/** Flags that every command on labelled data has. */
export interface DataFlags extends ReadingFlags, RejectFlags {
  readonly data: readonly string[];
  readonly qualityField: string;
}

export function addDataFlags(command: Command): Command {
  return addRejectFlags(
    addReadingFlags(
      command
        .requiredOption(
          '--data <file...>',
          'labelled cases: .jsonl, .json, .csv, .tsv (wide or long), each also .gz',
        )
        .option(
          '--quality-field <name>',
          'the field of an outcome that holds its quality',
          DEFAULT_QUALITY_FIELD,
        ),
    ),
  );
}

/** Loads the cases that have an outcome of each model; progress and notes go to stderr. */
export async function loadData(
  flags: DataFlags,
  models: readonly string[],
  options: Pick<LoadOptions, 'keepReplies'> = {},
) {
  const loaded = await loadLabelled(flags.data, {
    ...options,
    ...readingOptions(flags),
    models,
    qualityField: flags.qualityField,
    maxRejectShare: flags.maxRejects,
    ...(flags.rejects !== undefined && { rejectsFile: flags.rejects }),
    onProgress: showProgress(),
  });
  printNotes(loaded.notes);
  return loaded;
}

export interface CandidateFlags {
  readonly cheap?: string;
  readonly strong?: string;
  readonly ladder?: string;
}

/** The models that the flags name, cheapest first. @throws UsageError if it is not one pair or one ladder */
export function candidatesFrom({ cheap, strong, ladder }: CandidateFlags): string[] {
  if (ladder !== undefined) {
    if (cheap === undefined && strong === undefined) return ladderFrom(ladder);
    throw new UsageError('Give --ladder, or --cheap and --strong in place of it: not both.');
  }
  if (cheap === undefined || strong === undefined)
    throw new UsageError('Name the candidates: --cheap MODEL --strong MODEL, or --ladder A,B,C.');
  if (cheap === strong) throw new UsageError(`--cheap and --strong are two models, and both name ${cheap}.`);
  return [cheap, strong];
}

/** The models of `--ladder`, cheapest first. @throws UsageError for fewer than two, or one of them twice */
export function ladderFrom(text: string): string[] {
  const models = text.split(',').map((model) => model.trim());
  if (models.length >= 2 && !models.includes('') && new Set(models).size === models.length) return models;
  throw new UsageError(
    `--ladder takes two or more models, cheapest first, each once, with commas between: small,large, not ${JSON.stringify(text)}.`,
  );
}

export interface LearnerFlag {
  readonly learner: Learner | 'auto';
}

const LEARNER_CHOICES = ['auto', ...LEARNERS] as const;

export function addLearnerFlag(command: Command): Command {
  return command.option(
    '--learner <name>',
    `what is learned: ${LEARNER_CHOICES.join(', ')}; auto takes the one with the least cross-validated log loss`,
    learnerNamed,
    'auto',
  );
}

function learnerNamed(text: string): LearnerFlag['learner'] {
  const found = LEARNER_CHOICES.find((one) => one === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`It must be one of ${LEARNER_CHOICES.join(', ')}.`);
}

export interface ThresholdFlags {
  readonly escalationRate?: number;
  readonly maxQualityLoss?: number;
  readonly confidence?: number;
}

export function addThresholdFlags(command: Command): Command {
  return command
    .option('--escalation-rate <share>', 'set the threshold so that this share is escalated', share)
    .option(
      '--max-quality-loss <loss>',
      'preview a threshold with a mean loss against always-strong of at most this; the gate finds the one that serves (default: 0.02)',
      numberBetween(0, 1),
    )
    .option('--confidence <level>', 'the confidence of that loss (default: 0.95)', numberBetween(0.5, 1));
}

/** @throws UsageError if both rules are given, or a promise that no number of cases can keep. */
export function thresholdRule({ escalationRate, maxQualityLoss, confidence }: ThresholdFlags): ThresholdRule {
  if (escalationRate !== undefined) {
    if (maxQualityLoss === undefined && confidence === undefined) {
      return { rule: 'escalation-rate', target: escalationRate };
    }
    throw new UsageError(
      '--escalation-rate sets a share and promises no quality: give it, or --max-quality-loss with --confidence, not both.',
    );
  }
  const promise = {
    maxQualityLoss: maxQualityLoss ?? DEFAULT_RULE.target,
    confidence: confidence ?? DEFAULT_RULE.confidence,
  };
  asUsage(() => requirePromise(promise));
  return { rule: 'max-quality-loss', target: promise.maxQualityLoss, confidence: promise.confidence };
}

/** @param ladder candidate -> model, of the configuration */
export function candidateFrom(text: string, ladder: Readonly<Record<string, string>>): LabelCandidate {
  const at = text.indexOf('=');
  if (at > 0) return { name: text.slice(0, at), model: text.slice(at + 1) };
  const model = Object.hasOwn(ladder, text) ? ladder[text] : undefined;
  if (model !== undefined) return { name: text, model };
  if (text.includes('/')) return { name: text, model: text };
  const known = Object.keys(ladder).join(', ');
  throw new UsageError(
    `--models: the configuration has no "${text}" in its ladder${known === '' ? '' : `, which has ${known}`}. Write ${text}=<provider>/<model>, or add it to the ladder.`,
  );
}
