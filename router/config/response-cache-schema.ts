import { z } from 'zod';
import { camelCased } from './camel-cased.ts';

const MEBIBYTE = 2 ** 20;

/** `response_cache`: whole replies that go out again to the very same request. */
export const responseCacheSchema = z
  .strictObject({
    ttl_ms: z
      .int()
      .min(1_000)
      .max(86_400_000)
      .default(3_600_000)
      .describe('How long a reply is kept, at most a day.'),
    max_bytes: z
      .int()
      .min(MEBIBYTE)
      .max(4_096 * MEBIBYTE)
      .default(64 * MEBIBYTE)
      .describe('Of all replies in memory; the one that was used least recently goes first.'),
    max_entry_bytes: z
      .int()
      .min(1_024)
      .max(256 * MEBIBYTE)
      .default(MEBIBYTE)
      .describe('A longer reply is not kept.'),
    any_temperature: z
      .boolean()
      .default(false)
      .describe(
        'Also requests whose temperature is above 0 or left out: they get one reply again in place of a new one each.',
      ),
    tools: z
      .boolean()
      .default(false)
      .describe(
        'Also requests with tools of the client. A call of a tool that comes again has the id that it had before.',
      ),
  })
  .refine((set) => set.max_entry_bytes <= set.max_bytes, {
    path: ['max_entry_bytes'],
    error: 'max_entry_bytes may not be more than max_bytes',
  })
  .describe(
    'Whole replies that go out again to the very same request of the same API key, from memory. Left out: none are kept.',
  )
  .transform(camelCased);
