import { z } from 'zod';
import { camelCased } from './camel-cased.ts';

const SUITE = /^[0-9a-f]{12,64}$/;
const SUITE_RULE = 'the sha256 of a suite in lower-case hex, or at least its first 12 digits';

/** `gate`: floors below which a PASS is none. */
export const floorsSchema = z
  .strictObject({
    min_confidence: z
      .number()
      .min(0.5)
      .lt(1)
      .optional()
      .describe("Least confidence with which the verdict's quality loss was judged."),
    max_quality_loss: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Largest margin of the verdict's quality loss."),
    max_valid_for_days: z
      .int()
      .min(1)
      .max(36_500)
      .optional()
      .describe('A PASS counts for so many days from its issue at most, whatever the verdict says.'),
    suites: z
      .array(z.string().regex(SUITE, SUITE_RULE))
      .min(1)
      .optional()
      .describe('Suites that count, each by its sha256 in hex or at least the first 12 digits of it.'),
    public_key: z
      .string()
      .min(1)
      .optional()
      .describe('File of an Ed25519 public key in PEM: only verdicts that it verifies count.'),
  })
  .describe('What a PASS must have to count on this server. By default any PASS counts.')
  .transform(camelCased);
