import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_RULE } from '../evals/lifecycle/index.ts';
import { requirePromise, type ThresholdRule } from '../evals/threshold/index.ts';
import { parseEncoderSpec } from '../router/encoders/index.ts';
import { LEARNERS, type Learner } from '../router/train/index.ts';
import { ladderFrom, numberBetween, share } from './flags.ts';
import { asUsage, UsageError } from './usage-error.ts';

/** An encoder's name, which `usage` refuses unless it can be one. @throws PlimsollError as parseEncoderSpec */
export function encoderId(text: string): string {
  parseEncoderSpec(text);
  return text;
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
