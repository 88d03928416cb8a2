import { z } from 'zod';
import { MAX_LINES } from '../batches/index.ts';
import { timeTest } from '../rules/index.ts';
import { camelCased } from './camel-cased.ts';
import { hoursSchema, timeZoneSchema } from './rules-schema.ts';

/** `batches` of plimsoll.config.yaml: files of requests that are answered in the background. Off without this part. */
export const batchesSchema = z
  .strictObject({
    hours: hoursSchema
      .optional()
      .describe(
        'Off-peak hours: lines are sent from a time of day to before another, in time_zone. Default: at any time.',
      ),
    time_zone: timeZoneSchema
      .refine(isTimeZone, 'is no time zone: name one of the IANA database, such as Europe/Berlin')
      .optional()
      .describe('Of hours; IANA name, such as Europe/Berlin. Default UTC.'),
    max_concurrency: z
      .int()
      .min(1)
      .max(1_000)
      .default(16)
      .describe('Lines at work at once in one process, over all batches.'),
    max_lines: z.int().min(1).max(MAX_LINES).default(MAX_LINES).describe('A file with more gets a 400.'),
    max_file_bytes: z
      .int()
      .min(1_024)
      .max(512 * 2 ** 20)
      .default(200 * 2 ** 20)
      .describe('A larger file gets a 413.'),
    keep_days: z
      .int()
      .min(1)
      .max(365)
      .default(30)
      .describe('Files and batches are kept so long; then they are dropped.'),
    profile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Profile of lines that name none, of batches that name none. Default: the configuration itself.',
      ),
  })
  .refine(({ hours, time_zone }) => time_zone === undefined || hours !== undefined, {
    error: 'is of hours, and there are none',
    path: ['time_zone'],
  })
  .describe('POST /v1/batches: files of requests, answered in the background. Off without this part.')
  .transform(camelCased);

function isTimeZone(timeZone: string): boolean {
  try {
    timeTest({ timeZone });
    return true;
  } catch {
    return false;
  }
}
