import { z } from 'zod';
import { PATTERN_KINDS, REDACTED_KINDS } from '../redaction/index.ts';
import { camelCased } from './camel-cased.ts';

/** `capture` of plimsoll.config.yaml: requests that are kept, to be labelled. Without it none is. */
export const captureSchema = z
  .strictObject({
    share: z
      .number()
      .gt(0)
      .max(1)
      .describe(
        'Share of the requests of conversations that is kept, above 0 and at most 1. Rare kinds of requests are kept more often, each with a known probability.',
      ),
    profiles: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'Only requests to these profiles; auto is the ladder itself. Default: all, also those that name their model.',
      ),
    include: z
      .enum(['prompt', 'prompt+reply'])
      .default('prompt+reply')
      .describe('Whether the words of the reply are kept too. Its numbers are in any case.'),
    redact: z
      .array(z.enum(REDACTED_KINDS))
      .default([...PATTERN_KINDS])
      .describe(
        'What is replaced before anything is stored, such as by [email 1]; name needs names_file. An empty list replaces nothing.',
      ),
    names_file: z
      .string()
      .min(1)
      .optional()
      .describe('File of names, one a line, for name in redact. Read at the start.'),
    phone_countries: z
      .array(z.string().regex(/^[A-Z]{2}$/, 'a country of ISO 3166-1 in capitals, such as DE'))
      .min(1)
      .optional()
      .describe(
        'Countries whose telephone numbers are known without + and a country code. Default: 21 of the most frequent.',
      ),
    redact_command: z
      .strictObject({
        command: z
          .array(z.string().min(1))
          .min(1)
          .describe(
            'A program and its arguments, kept running. It reads {"id", "texts"} as a line of JSON and writes the same with other texts.',
          ),
        timeout_ms: z
          .int()
          .min(10)
          .max(60_000)
          .default(1_000)
          .describe('A request that takes longer is not captured.'),
      })
      .transform(camelCased)
      .optional()
      .describe('Your own redaction, after the other. What it does not give back is not captured.'),
    max_bytes: z
      .int()
      .min(4_096)
      .max(16 * 2 ** 20)
      .default(256 * 1024)
      .describe('Of one record; longer requests are not kept.'),
    replay: z
      .boolean()
      .default(false)
      .describe(
        'Whether who has the role operate may try a captured request again in the playground of the dashboard, and so reads its words.',
      ),
  })
  .refine(({ redact, names_file }) => !redact.includes('name') || names_file !== undefined, {
    path: ['names_file'],
    error: 'is needed, since redact has name: a text file with a name on each line',
  })
  .describe('Requests that are kept in the state, redacted, to be labelled. Off without this part.')
  .transform(camelCased);
