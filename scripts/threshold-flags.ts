import type { Command } from 'commander';
import { requirePromise, type ThresholdRule } from '../evals/threshold/index.ts';
import { PlimsollError } from '../router/errors.ts';
import { numberBetween, share } from './labelled-data.ts';

/** Two points of quality: what most teams would not notice, and the margin that the documentation uses throughout. */
const DEFAULT_MAX_QUALITY_LOSS = 0.02;
export const DEFAULT_CONFIDENCE = 0.95;

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
      'certify that the mean loss against always-strong is at most this (default: 0.02)',
      numberBetween(0, 1),
    )
    .option(
      '--confidence <level>',
      'the probability with which the certified loss holds (default: 0.95)',
      numberBetween(0.5, 1),
    );
}

/** @throws PlimsollError `invalid-input` where both rules are given, or a promise that no number of cases can keep. */
export function thresholdRule({ escalationRate, maxQualityLoss, confidence }: ThresholdFlags): ThresholdRule {
  if (escalationRate !== undefined) {
    if (maxQualityLoss === undefined && confidence === undefined) {
      return { rule: 'escalation-rate', target: escalationRate };
    }
    throw new PlimsollError(
      'invalid-input',
      '--escalation-rate stands alone: it sets a share and promises no quality. Give it, or --max-quality-loss with --confidence.',
    );
  }
  const promise = {
    maxQualityLoss: maxQualityLoss ?? DEFAULT_MAX_QUALITY_LOSS,
    confidence: confidence ?? DEFAULT_CONFIDENCE,
  };
  requirePromise(promise);
  return { rule: 'max-quality-loss', target: promise.maxQualityLoss, confidence: promise.confidence };
}
