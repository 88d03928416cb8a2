import { z } from 'zod';
import { camelCased } from './camel-cased.ts';

/** `latency` of plimsoll.config.yaml: how soon replies are wanted. */
export const latencySchema = z
  .strictObject({
    class: z
      .enum(['interactive', 'balanced', 'batch'])
      .default('balanced')
      .describe(
        'interactive: candidates that are expected to take too long are avoided. batch: the chosen candidate is waited for. balanced: neither.',
      ),
    max_expected_ms: z
      .int()
      .min(10)
      .max(3_600_000)
      .default(5_000)
      .describe(
        'Of interactive: a candidate is too slow if it is expected to take longer for the whole answer.',
      ),
    when_slow: z
      .enum(['keep', 'lower'])
      .default('keep')
      .describe(
        'Of interactive, if the chosen candidate is too slow and no stronger one is quick: keep it, or go to a cheaper one that is quick, which the gate does not cover.',
      ),
    max_wait_ms: z
      .int()
      .min(1_000)
      .max(3_600_000)
      .default(300_000)
      .describe(
        'Of batch: how long the chosen candidate is tried again before others are called, and how long a cascade waits for cheaper answers.',
      ),
  })
  .describe('How soon answers are wanted.')
  .transform(camelCased);
