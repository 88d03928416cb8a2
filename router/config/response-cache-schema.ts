import { z } from 'zod';
import { camelCased } from './camel-cased.ts';

const MEBIBYTE = 2 ** 20;

const ttlMs = z.int().min(1_000).max(86_400_000).describe('How long a reply is kept, at most a day.');
const maxBytes = z
  .int()
  .min(MEBIBYTE)
  .max(4_096 * MEBIBYTE)
  .describe('Of all replies in memory; the one that was used least recently goes first.');
const maxEntryBytes = z
  .int()
  .min(1_024)
  .max(256 * MEBIBYTE)
  .describe('A longer reply is not kept.');
const anyTemperature = z
  .boolean()
  .describe(
    'Also requests whose temperature is above 0 or left out: they get one reply again in place of a new one each.',
  );
const tools = z
  .boolean()
  .describe(
    'Also requests with tools of the client. A call of a tool that comes again has the id that it had before.',
  );

const TOO_LARGE = 'max_entry_bytes may not be more than max_bytes';

/** `response_cache`: whole replies that go out again to the very same request. */
export const responseCacheSchema = z
  .strictObject({
    ttl_ms: ttlMs.default(3_600_000),
    max_bytes: maxBytes.default(64 * MEBIBYTE),
    max_entry_bytes: maxEntryBytes.default(MEBIBYTE),
    any_temperature: anyTemperature.default(false),
    tools: tools.default(false),
  })
  .refine((set) => set.max_entry_bytes <= set.max_bytes, { path: ['max_entry_bytes'], error: TOO_LARGE })
  .describe(
    'Whole replies that go out again to the very same request of the same API key, from memory. Left out: none are kept.',
  )
  .transform(camelCased);

/** What a profile says about it: `off`, or the fields that are different there. */
export const responseCacheOverrides = z.union(
  [
    z.literal('off'),
    z
      .strictObject({
        ttl_ms: ttlMs.optional(),
        max_bytes: maxBytes.optional(),
        max_entry_bytes: maxEntryBytes.optional(),
        any_temperature: anyTemperature.optional(),
        tools: tools.optional(),
      })
      .transform(camelCased),
  ],
  { error: 'off, or an object with fields of response_cache' },
);

export type ResponseCacheSettings = z.output<typeof responseCacheSchema>;

/** The settings of a profile: what it inherits, else the defaults, with its own fields in their place. */
export function withCacheOverrides(
  inherited: ResponseCacheSettings | undefined,
  changes: z.output<typeof responseCacheOverrides>,
): ResponseCacheSettings | undefined {
  if (changes === 'off') return undefined;
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  return { ...(inherited ?? responseCacheSchema.parse({})), ...given };
}

/** What is wrong with settings that were put together from several places; undefined if nothing is. */
export function faultOfCache(settings: ResponseCacheSettings | undefined): string | undefined {
  return settings !== undefined && settings.maxEntryBytes > settings.maxBytes ? TOO_LARGE : undefined;
}
