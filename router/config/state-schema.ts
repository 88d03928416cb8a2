import { z } from 'zod';
import { camelCased } from './camel-cased.ts';
import { VARIABLE_NAME } from './variable-name.ts';

const VARIABLE_RULE = 'the NAME of an environment variable in upper case';
const variable = z.string().regex(VARIABLE_NAME, VARIABLE_RULE);

const NO_PASSWORD =
  'must hold no password: name the environment variable that holds the whole address in url_env';

/** What lies after a colon before the @ is a password, even if it holds a slash that no address may hold there. */
function hasPassword(address: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^@?]*:[^@?]+@/i.test(address) || /[?&]password=/i.test(address);
}

/** One letter before the colon is a drive of Windows. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/** @param hint what else an operator may do with the password */
const address = (hint = '') =>
  z
    .string()
    .min(1)
    .refine((text) => !hasPassword(text), `${NO_PASSWORD}${hint}`);

/** `state` of plimsoll.config.yaml: where what outlives a request is kept. */
export const stateSchema = z
  .strictObject({
    kind: z
      .enum(['memory', 'sqlite', 'postgres'])
      .default('sqlite')
      .describe(
        'memory: gone with the process. sqlite: one file, for all processes of one machine. postgres: for several machines.',
      ),
    url: address(', or set PGPASSWORD')
      .optional()
      .describe(
        'sqlite: the file, by default .plimsoll/state.db. postgres: its address without a password, such as postgres://plimsoll@db/plimsoll.',
      ),
    url_env: variable
      .optional()
      .describe('NAME of the environment variable that holds the address of postgres, with its password.'),
    migrate: z
      .enum(['auto', 'manual'])
      .default('auto')
      .describe(
        'auto: an older schema is brought up to date at the start. manual: it is refused, and `plimsoll state migrate` does it.',
      ),
    retention: z
      .strictObject({
        max_age_days: z
          .int()
          .min(1)
          .max(36_500)
          .default(90)
          .describe('Older records of the log and single entries of the ledger go; sums of days stay.'),
        max_bytes: z
          .int()
          .min(4_096)
          .max(2 ** 45)
          .default(2 ** 30)
          .describe('The oldest records of a log go when it is larger.'),
      })
      .transform(camelCased)
      .prefault({}),
    encryption_keys_env: variable
      .optional()
      .describe(
        'NAME of the environment variable with the keys that captured text is encrypted with: <id>:<32 bytes in base64>, the current one first, with commas between.',
      ),
    on_unavailable: z
      .enum(['closed', 'open'])
      .default('closed')
      .describe(
        'While the state cannot be reached, requests under a budget are refused (closed) or go on without a check (open).',
      ),
  })
  .refine(({ kind, url }) => kind !== 'sqlite' || url === undefined || !SCHEME.test(url), {
    path: ['url'],
    error:
      'must be the path of a file for sqlite, such as /var/lib/plimsoll/state.db, without a scheme; for PostgreSQL write kind: postgres',
  })
  .describe('Where what outlives a request is kept: the decision log, spending, limits.')
  .transform(camelCased);

/** SQLite in .plimsoll/state.db. */
export function defaultState(): z.infer<typeof stateSchema> {
  return stateSchema.parse({});
}

/** `redis` of plimsoll.config.yaml: what several instances share, and may be lost. */
export const redisSchema = z
  .strictObject({
    url: address().optional().describe('Address without a password, such as redis://cache:6379.'),
    url_env: variable
      .optional()
      .describe('NAME of the environment variable that holds the address, with its password.'),
  })
  .refine(({ url, url_env }) => (url === undefined) !== (url_env === undefined), {
    error: 'give either url or url_env',
  })
  .describe('Redis or Valkey: rates and breakers that several instances share. Never money.')
  .transform(camelCased);
