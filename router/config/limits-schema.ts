import { z } from 'zod';
import {
  AT_LIMIT,
  EACH,
  LIMIT_UNITS,
  type Limit,
  type LimitUnit,
  type LimitWindow,
  scopeOf,
} from '../access/index.ts';
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
/** In billionths of a dollar; sums up to this are exact. */
const MOST = 1e15;

const ONE_LENGTH = 'must be one length and what it allows, such as 24h: 10 usd';

export const windowSchema = z
  .record(z.string(), z.string(), { error: ONE_LENGTH })
  .transform((fields, context): LimitWindow => {
    const [entry, ...more] = Object.entries(fields);
    const fault = (message: string, path: string[] = []) => {
      context.addIssue({ code: 'custom', message, path });
      return z.NEVER;
    };
    if (entry === undefined || more.length > 0) return fault(ONE_LENGTH);
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
  if (value > MOST) return 'must be at most 1_000_000 usd, or 1_000_000_000_000_000 of the others';
  if (!Number.isSafeInteger(value)) return `must be a whole number of ${unit}`;
  return value > 0 ? value : 'must be more than 0';
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
    deployment: name.optional().describe('<provider>/<id> of a model with several deployments.'),
  })
  .describe('Whom it limits: names, or "*" for each by itself. Empty: all requests together.');

const windowsSchema = z
  .array(windowSchema)
  .min(1, 'needs a window at least, such as 1m: 600 requests')
  .superRefine((windows, context) => {
    for (const [i, later] of windows.entries()) {
      const fault = windows
        .slice(0, i)
        .map((earlier) => overlap(earlier, later))
        .find((one) => one !== undefined);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault, path: [i] });
    }
  })
  .describe(
    'Length -> amount, such as 1m: 600 requests, 24h: 10 usd, month: 100 usd. Windows follow each other in UTC.',
  );

const limitName = z
  .string()
  .regex(/^[\w.-]{1,64}$/, '1 to 64 letters, digits, dots, dashes and underscores')
  .optional()
  .describe('By which rules speak of it, in budget_used.');

const EACH_MODEL =
  'a limit with a name cannot be of each model, provider or deployment: rules are looked at before one is chosen';
const isOfOneModel = ({ name: own, for: { model, provider, deployment } }: Pick<Limit, 'name' | 'for'>) =>
  own === undefined || [model, provider, deployment].every((of) => of !== EACH);

const whenFullFields = {
  at_limit: z
    .enum(AT_LIMIT)
    .optional()
    .describe(
      'If the chosen model has no room: next candidates, its equals only, stronger ones only, wait, or refuse. Of limits of a model, provider or deployment; next where left out.',
    ),
  prefer_others_at: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      'Share of any window from which equals and other deployments go first, 1: never; .9 where left out.',
    ),
  max_wait_ms: z
    .int()
    .min(1)
    .max(600_000)
    .optional()
    .describe('Of at_limit: wait, the longest wait; 30000 where left out.'),
  max_waiting: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('Of at_limit: wait, how many requests wait at once; 256 where left out.'),
};

const limitSchema = z
  .strictObject({ name: limitName, for: forSchema.prefault({}), windows: windowsSchema, ...whenFullFields })
  .refine(isOfOneModel, { error: EACH_MODEL, path: ['for'] })
  .superRefine(refuseMisplaced);

interface WrittenLimit {
  readonly for: Limit['for'];
  readonly at_limit?: string | undefined;
}

function isOfModels({ model, provider, deployment }: Limit['for']): boolean {
  return (model ?? provider ?? deployment) !== undefined;
}

type WhenFullField = keyof typeof whenFullFields;

/** Only limits of models may say what happens when they are full, and only those that wait may set a wait. */
function refuseMisplaced(
  limit: WrittenLimit & Readonly<Partial<Record<WhenFullField, unknown>>>,
  context: z.RefinementCtx,
): void {
  for (const field of Object.keys(whenFullFields) as WhenFullField[]) {
    if (limit[field] === undefined) continue;
    const isWait = field === 'max_wait_ms' || field === 'max_waiting';
    const message = !isOfModels(limit.for)
      ? 'is for limits of a model, a provider or a deployment: name one in for'
      : isWait && limit.at_limit !== 'wait'
        ? 'goes with at_limit: wait'
        : undefined;
    if (message !== undefined) context.addIssue({ code: 'custom', message, path: [field] });
  }
}

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

function limitFrom(written: z.infer<typeof limitSchema>): Limit {
  const { name: own, for: names, windows } = written;
  const limit = { ...(own !== undefined && { name: own }), for: names, windows };
  if (!isOfModels(names)) return limit;
  return {
    ...limit,
    whenFull: {
      atLimit: written.at_limit ?? 'next',
      preferOthersAt: written.prefer_others_at ?? 0.9,
      maxWaitMs: written.max_wait_ms ?? 30_000,
      maxWaiting: written.max_waiting ?? 256,
    },
  };
}

/** `limits` of plimsoll.config.yaml: how much may be used, by whom. */
export const limitsSchema = z
  .array(limitSchema)
  .max(10_000)
  .default([])
  .superRefine(refuseRepeated)
  .transform((limits) => limits.map(limitFrom))
  .describe(
    'How much a key, a team, a tag, a profile, a model, a provider, a deployment or a combination of them may use. Needs API keys where it names a key or a team.',
  );

function refuseRepeated(limits: readonly Limit[], context: z.RefinementCtx): void {
  const seen = new Map<string, number>();
  for (const [i, { for: names, name: own }] of limits.entries()) {
    const scope = scopeOf(names);
    const first = seen.get(scope);
    seen.set(scope, i);
    const isTaken = own !== undefined && limits.slice(0, i).some((earlier) => earlier.name === own);
    if (isTaken) {
      context.addIssue({ code: 'custom', message: `there are two limits named "${own}"`, path: [i, 'name'] });
    }
    if (first === undefined) continue;
    const message = `is for ${scope}, as limits.${first} is: put their windows into one`;
    context.addIssue({ code: 'custom', message, path: [i, 'for'] });
  }
}

/** `limits` of a profile, which are of its requests alone. */
export const profileLimitsSchema = z
  .array(
    z
      .strictObject({
        name: limitName,
        for: forSchema.omit({ profile: true }).prefault({}),
        windows: windowsSchema,
        ...whenFullFields,
      })
      .refine(isOfOneModel, { error: EACH_MODEL, path: ['for'] })
      .superRefine(refuseMisplaced),
  )
  .max(1_000)
  .superRefine(refuseRepeated)
  .transform((limits) => limits.map(limitFrom));

/** The limits of profiles as those of the configuration: each of the requests of one profile. */
export function limitsOfProfiles(
  profiles: Readonly<Record<string, { readonly limits: readonly Limit[] }>>,
): readonly Limit[] {
  return Object.entries(profiles).flatMap(([profile, { limits }]) =>
    limits.map((limit, i) => ({
      ...limit,
      for: { ...limit.for, profile },
      field: `profiles.${profile}.limits.${i}`,
    })),
  );
}

/** The first limit that covers exactly the same as an earlier one; undefined if there is none. */
export function repeatedLimit(limits: readonly Limit[]): Limit | undefined {
  const scopes = limits.map(({ for: names }) => scopeOf(names));
  return limits[scopes.findIndex((scope, i) => scopes.indexOf(scope) < i)];
}

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
