import type { Command } from 'commander';
import { PlimsollError } from '../router/errors.ts';
import type { ThresholdRule } from '../router/train/choose-threshold.ts';
import { numberBetween, share } from './labelled-data.ts';

/** Two points of quality: what most teams would not notice, and the margin that the documentation uses throughout. */
const DEFAULT_RULE: ThresholdRule = { rule: 'max-quality-loss', target: 0.02 };

export interface ThresholdFlags {
  readonly escalationRate?: number;
  readonly maxQualityLoss?: number;
}

export function addThresholdFlags(command: Command): Command {
  return command
    .option('--escalation-rate <share>', 'set the threshold so that this share is escalated', share)
    .option(
      '--max-quality-loss <loss>',
      'set it so that the mean loss against always-strong stays within this (default: 0.02)',
      numberBetween(0, 1),
    );
}

/** @throws PlimsollError `invalid-input` where both rules are given. */
export function thresholdRule({ escalationRate, maxQualityLoss }: ThresholdFlags): ThresholdRule {
  if (escalationRate !== undefined && maxQualityLoss !== undefined) {
    throw new PlimsollError(
      'invalid-input',
      '--escalation-rate and --max-quality-loss exclude each other: give the one that the threshold shall keep.',
    );
  }
  if (escalationRate !== undefined) return { rule: 'escalation-rate', target: escalationRate };
  if (maxQualityLoss !== undefined) return { rule: 'max-quality-loss', target: maxQualityLoss };
  return DEFAULT_RULE;
}
