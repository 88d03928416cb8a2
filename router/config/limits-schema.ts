import { z } from 'zod';
import { LIMIT_UNITS, type Limit, type LimitUnit, type LimitWindow, scopeOf } from '../access/index.ts';
import { NANO } from '../catalog/index.ts';
import { nearestName } from '../nearest-name.ts';
import { camelCased } from './camel-cased.ts';

const LENGTH = /^(?:([1-9]\d{0,4})([smhd])|month)$/;
const LENGTH_RULE = 'must be a length such as 30s, 1m, 24h or 30d, or month for a calendar month';
const AMOUNT = /^(\d[\d_]{0,20}(?:\.\d{1,9})?) +([a-z]+)$/i;
const AMOUNT_RULE = 'must be a number and what is counted, such as 600 requests, 1_000_000 tokens or 10 usd';
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_MS = 366 * 86_400_000;
/** To compare a calendar month with other windows. */
const MONTH_MS = 30 * 86_400_000;
/** Of billionths of a dollar: sums of as many are exact. */
const MOST = 1e15;

const windowSchema = z.record(z.string(), z.string()).transform((fields, context): LimitWindow => {
  const [entry, ...more] = Object.entries(fields);
  const fault = (message: string, path: string[] = []) => {
    context.addIssue({ code: 'custom', message, path });
    return z.NEVER;
  };
  if (entry === undefined || more.length > 0)
    return fault('must be one length and what it allows, such as 24h: 10 usd');
  const [length, amount] = entry;
  const [, count, unit] = LENGTH.exec(length) ?? [];
  const lengthMs = unit === undefined ? undefined : Number(count) * UNIT_MS[unit]!;
  if (!LENGTH.test(length) || (lengthMs ?? 0) > LONGEST_MS) return fault(LENGTH_RULE, [length]);
  const [, digits = '', written = ''] = AMOUNT.exec(amount) ?? [];
  if (written === '') return fault(AMOUNT_RULE, [length]);
  const counted = LIMIT_UNITS.find(
    (one) => one === written.toLowerCase() || one === `${written.toLowerCase()}s`,
  );
  if (counted === undefined) return fault(unknownUnit(written), [length]);
  const cap = capOf(digits.replaceAll('_', ''), counted);
  if (typeof cap === 'string') return fault(cap, [length]);
  return { name: `${length} ${counted}`, unit: counted, lengthMs, cap };
});

function unknownUnit(written: string): string {
  const near = nearestName(written, LIMIT_UNITS);
  const hint = near === undefined ? '' : `. Did you mean "${near}"?`;
  return `counts "${written}", which is none of ${LIMIT_UNITS.join(', ')}${hint}`;
}

function capOf(digits: string, unit: LimitUnit): number | string {
  const value = unit === 'usd' ? Math.round(Number(digits) * NANO) : Number(digits);
  if (!Number.isSafeInteger(value)) return `must be a whole number of ${unit}`;
  if (value <= 0) return 'must be more than 0';
  return value > MOST ? 'must be at most 1_000_000 usd, or 1_000_000_000_000_000 of the others' : value;
}

const name = z.string().min(1).max(256);
const forSchema = z
  .strictObject({
    key: z
      .string()
      .regex(/^(?:\*|[0-9a-f]{12})$/, 'must be the id of an API key, which has 12 hex digits, or "*"')
      .optional()
      .describe('Id of an API key.'),
    team: name.optional().describe('Team of the API key: `plimsoll keys create --team`.'),
    tag: name.optional().describe('A tag of the header x-plimsoll-tags.'),
    profile: name.optional().describe('Profile of routed requests; the default one is "default".'),
    model: name.optional().describe('<provider>/<model> that is called.'),
    provider: name.optional().describe('Provider whose models are called.'),
  })
  .describe('Whom it limits: names, or "*" for each by itself. Empty: all requests together.');

const limitSchema = z
  .strictObject({
    for: forSchema.prefault({}),
    windows: z
      .array(windowSchema)
      .min(1)
      .describe(
        'Length -> amount, such as 1m: 600 requests, 24h: 10 usd, month: 100 usd. Windows follow each other in UTC.',
      ),
  })
  .superRefine(({ windows }, context) => {
    for (const [i, later] of windows.entries()) {
      const fault = windows
        .slice(0, i)
        .map((earlier) => overlap(earlier, later))
        .find((one) => one !== undefined);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault, path: ['windows', i] });
    }
  });

/** What is wrong with two windows of one limit; undefined if both can be reached. */
function overlap(a: LimitWindow, b: LimitWindow): string | undefined {
  if (a.unit !== b.unit) return undefined;
  const [shorter, longer] = lengthOf(a) <= lengthOf(b) ? [a, b] : [b, a];
  if (lengthOf(a) === lengthOf(b))
    return `is as long as ${a.name}, and counts the same: leave one of them out`;
  if (shorter.cap < longer.cap) return undefined;
  return `${shorter.name} can never be reached, since ${longer.name} allows no more: lower the one or raise the other`;
}

function lengthOf({ lengthMs = MONTH_MS }: LimitWindow): number {
  return lengthMs;
}

/** `limits` of plimsoll.config.yaml: how much may be used, by whom. */
export const limitsSchema = z
  .array(limitSchema)
  .max(10_000)
  .default([])
  .superRefine((limits, context) => {
    const seen = new Map<string, number>();
    for (const [i, limit] of limits.entries()) {
      const scope = scopeOf(limit.for as Limit['for']);
      const first = seen.get(scope);
      seen.set(scope, i);
      if (first === undefined) continue;
      const message = `is for ${scope}, as limits.${first} is: put their windows into one`;
      context.addIssue({ code: 'custom', message, path: [i, 'for'] });
    }
  })
  .describe(
    'How much a key, a team, a tag, a profile, a model, a provider or a combination of them may use. Needs API keys where it names a key or a team.',
  );

/** `budgets` of plimsoll.config.yaml: what is reserved of a limit before a request is sent. */
export const budgetsSchema = z
  .strictObject({
    default_max_tokens: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(4_096)
      .describe(
        'A request that says nothing of the length of its reply gets this limit, and so much is reserved, if a limit of tokens or usd applies to it.',
      ),
  })
  .transform(camelCased);
