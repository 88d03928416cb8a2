import { z } from 'zod';
import { camelCased } from './camel-cased.ts';

const VALIDATOR_RULE = 'give either command or url';

const validator = z
  .strictObject({
    command: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('A program and its arguments. It gets JSON on stdin; exit code 0 passes, 1 rejects.'),
    url: z
      .string()
      .regex(/^https?:\/\/[^\s@]+$/, 'an http or https address without a name or password in it')
      .optional()
      .describe('An address that gets the JSON by POST; 2xx passes, 422 rejects.'),
    timeout_ms: z.int().min(10).max(60_000).default(1_000).describe('A longer check rejects.'),
  })
  .refine(({ command, url }) => (command === undefined) !== (url === undefined), { error: VALIDATOR_RULE })
  .transform(camelCased);

const maxWaitMs = z
  .int()
  .min(100)
  .max(600_000)
  .describe(
    'How long a request waits for the whole answers of cheaper models, all together; then the call is aborted, and the strongest candidate is asked.',
  );

const others = {
  samples: z
    .int()
    .min(2)
    .max(8)
    .optional()
    .describe(
      "How many answers of a cheaper model are compared. The further ones are paid for, and asked for only if the artifact's judge uses them.",
    ),
  verifier: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A model, <provider>/<model>, that says whether the answer is right; asked only if the judge uses it.',
    ),
};

const validators = z
  .array(validator)
  .max(8)
  .describe("Your own checks of a cheaper model's answer: it goes out only if each of them passes it.");

/** `cascade` of plimsoll.config.yaml: how the replies of cheaper models are held and judged, if the artifact has judges. */
export const cascadeSchema = z
  .strictObject({ max_wait_ms: maxWaitMs.default(20_000), ...others, validators: validators.default([]) })
  .describe("The look at a cheaper model's answer before it goes out, of an artifact that has judges.")
  .transform(camelCased);

/** What a profile says about it: `off`, or the fields that are different there. */
export const cascadeOverrides = z.union(
  [
    z.literal('off'),
    z
      .strictObject({ max_wait_ms: maxWaitMs.optional(), ...others, validators: validators.optional() })
      .transform(camelCased),
  ],
  { error: 'off, or an object with fields of cascade' },
);
