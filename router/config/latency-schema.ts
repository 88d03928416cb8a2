import { z } from 'zod';
import { camelCased } from './camel-cased.ts';

const latencyClass = z
  .enum(['interactive', 'balanced', 'batch'])
  .describe(
    'interactive: candidates that are expected to take too long are avoided. batch: the chosen candidate is waited for. balanced: neither.',
  );

const maxExpectedMs = z
  .int()
  .min(10)
  .max(3_600_000)
  .describe('Of interactive: a candidate is too slow if it is expected to take longer for the whole answer.');

const whenSlow = z
  .enum(['keep', 'lower'])
  .describe(
    'Of interactive, if the chosen candidate is too slow and no stronger one is quick: keep it, or go to a cheaper one that is quick, which the gate does not cover.',
  );

const maxWaitMs = z
  .int()
  .min(1_000)
  .max(3_600_000)
  .describe(
    'Of batch: how long the chosen candidate is tried again before others are called, and how long a cascade waits for cheaper answers.',
  );

/** `latency` of plimsoll.config.yaml: how soon replies are wanted. */
export const latencySchema = z
  .strictObject({
    class: latencyClass.default('balanced'),
    max_expected_ms: maxExpectedMs.default(5_000),
    when_slow: whenSlow.default('keep'),
    max_wait_ms: maxWaitMs.default(300_000),
  })
  .describe('How soon answers are wanted.')
  .transform(camelCased);

/** What a profile says about it: the fields that are different there. */
export const latencyOverrides = z
  .strictObject({
    class: latencyClass.optional(),
    max_expected_ms: maxExpectedMs.optional(),
    when_slow: whenSlow.optional(),
    max_wait_ms: maxWaitMs.optional(),
  })
  .transform(camelCased);
