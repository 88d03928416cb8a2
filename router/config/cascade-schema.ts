import { z } from 'zod';
import { camelCased } from './camel-cased.ts';

/** `cascade` of plimsoll.config.yaml: how the reply of the cheap model is held and judged, if the artifact has a judge. */
export const cascadeSchema = z
  .strictObject({
    max_wait_ms: z
      .int()
      .min(100)
      .max(600_000)
      .default(20_000)
      .describe(
        "How long a request waits for the cheap model's whole answer; then that call is aborted, and the strongest candidate is asked.",
      ),
  })
  .describe("The look at the cheap model's answer before it goes out, of an artifact that has a judge.")
  .transform(camelCased);
