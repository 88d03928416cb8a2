import { z } from 'zod';
import { MAX_MODEL_CHARACTERS } from '../catalog/index.ts';
import { TAG, TAG_RULE } from '../request-tags.ts';
import { DAYS, RULE_LANGUAGES } from '../rules/index.ts';
import { camelCased } from './camel-cased.ts';

const MAX_RULES = 100;
const MAX_LISTED = 100;

/** One value, or a list of which one must hold. */
function oneOf<Item extends z.ZodType<string>>(item: Item) {
  return z.union([item.transform((one) => [one]), z.array(item).min(1).max(MAX_LISTED)]);
}

const label = z
  .string()
  .regex(TAG, TAG_RULE)
  .transform((name) => name.toLowerCase());

const BOUNDLESS = { error: 'give at_least, at_most or both' };
const isBounded = ({ at_least, at_most }: { at_least?: number | undefined; at_most?: number | undefined }) =>
  at_least !== undefined || at_most !== undefined;

const share = z.number().min(0).max(1);

const range = z
  .strictObject({ at_least: z.int().min(0).optional(), at_most: z.int().min(0).optional() })
  .refine(isBounded, BOUNDLESS)
  .transform(camelCased);

const TIME = /^([01]\d|2[0-3]):([0-5]\d)$/;
const time = z
  .string()
  .regex(TIME, 'a time of day such as "08:30", in quotation marks')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));

/** A part of each day. */
export const hoursSchema = z.strictObject({ from: time, to: time }).refine(({ from, to }) => from !== to, {
  error: 'from and to are the same; leave hours out for all day',
});

export const timeZoneSchema = z.string().min(1).max(100);

const SECRET_HEADERS = /^(?:authorization|proxy-authorization|cookie|x-api-key|api-key|x-goog-api-key)$/i;

const when = z
  .strictObject({
    task: oneOf(label)
      .optional()
      .describe(
        'The task, as the client names it in x-plimsoll-task; else, with tasks: on, the predicted one.',
      ),
    task_probability: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('The least probability of a task that is predicted. Default: any.'),
    tag: oneOf(label).optional().describe('One of the tags of the request, from x-plimsoll-tags.'),
    key: oneOf(z.string().min(1).max(200)).optional().describe('Id of the API key.'),
    model: oneOf(z.string().min(1).max(MAX_MODEL_CHARACTERS))
      .optional()
      .describe(
        'What the client asks for, such as auto. Only rules with it see requests for a model by its name.',
      ),
    header: z
      .record(
        z
          .string()
          .regex(/^[\w-]{1,100}$/, 'the name of an HTTP header')
          .refine((name) => !SECRET_HEADERS.test(name), 'this header holds a secret; use key for an API key')
          .transform((name) => name.toLowerCase()),
        oneOf(z.string().max(1_000)),
      )
      .optional()
      .describe('Name of a header -> its value, letter by letter.'),
    characters: range.optional().describe('Length of the text that is scored.'),
    tokens: range.optional().describe('Estimated tokens of the whole request.'),
    tools: z.boolean().optional().describe('Whether tools are on offer, or were called before.'),
    images: z.boolean().optional().describe('Whether there are pictures or files.'),
    days: z.array(z.enum(DAYS)).min(1).max(7).optional().describe('Days of the week, in time_zone.'),
    hours: hoursSchema
      .optional()
      .describe(
        'From a time of day to before another, in time_zone; over midnight if `to` is the earlier one.',
      ),
    time_zone: timeZoneSchema.optional().describe('IANA name, such as Europe/Berlin. Default UTC.'),
    language: oneOf(z.enum(RULE_LANGUAGES))
      .optional()
      .describe('Of the text that is scored, as its letters show: ISO 639-1 such as de; und: it shows none.'),
    budget_used: z
      .strictObject({
        limit: z.string().min(1).describe('Name of a limit.'),
        at_least: share.optional(),
        at_most: share.optional(),
      })
      .refine(isBounded, BOUNDLESS)
      .transform(camelCased)
      .optional()
      .describe('Share of the fullest window of a limit that is used up, as the ledger last said.'),
    session_age: z
      .strictObject({
        turns: range.optional().describe('Turns of the session before this request.'),
        minutes: range.optional().describe('Since its first request.'),
      })
      .refine(({ turns, minutes }) => (turns ?? minutes) !== undefined, {
        error: 'give turns, minutes or both',
      })
      .optional()
      .describe('How long the session of the request has gone on.'),
    matches: z
      .string()
      .min(1)
      .max(1_000)
      .optional()
      .describe(
        'A regular expression of RE2 that matches somewhere in the text that is scored. (?i) at its start ignores case.',
      ),
  })
  .refine(({ task, task_probability }) => task_probability === undefined || task !== undefined, {
    error: 'is of a task, and none is named',
    path: ['task_probability'],
  })
  .refine(({ time_zone, days, hours }) => time_zone === undefined || (days ?? hours) !== undefined, {
    error: 'is for days or hours, and there are none',
    path: ['time_zone'],
  })
  .transform(camelCased);

const ACTIONS = ['use', 'profile', 'at_least', 'at_most', 'refuse'] as const;

const rule = z
  .strictObject({
    name: z.string().regex(/^[\w.-]{1,64}$/, '1 to 64 letters, digits, dots, dashes and underscores'),
    when: when.prefault({}).describe('What the request must be like: all of it. Without it, every request.'),
    use: z
      .string()
      .min(1)
      .optional()
      .describe('A rung, cheapest or strongest, or <provider>/<model>, without asking the classifier.'),
    profile: z.string().min(1).optional().describe('The profile that decides.'),
    at_least: z.string().min(1).optional().describe('The cheapest rung that the policy may choose.'),
    at_most: z.string().min(1).optional().describe('The strongest rung that may be chosen and called.'),
    refuse: z.string().min(1).max(500).optional().describe('The request gets a 403 with this sentence.'),
  })
  .refine((fields) => ACTIONS.filter((action) => fields[action] !== undefined).length === 1, {
    error: `needs exactly one of ${ACTIONS.join(', ')}`,
  })
  .transform(camelCased);

const ruleList = z
  .array(rule)
  .max(MAX_RULES)
  .superRefine((rules, context) => {
    const index = repeatedName(rules);
    if (index === -1) return;
    const message = `there are two rules named "${rules[index]!.name}"`;
    context.addIssue({ code: 'custom', message, path: [index, 'name'] });
  });

/** Index of the first rule with the name of an earlier one; -1 if there is none. */
export function repeatedName(rules: readonly { readonly name: string }[]): number {
  const names = rules.map(({ name }) => name);
  return names.findIndex((name, at) => names.indexOf(name) < at);
}

/** `rules` of a profile: a list in place of the inherited one, or one that is looked at before it. */
export const profileRulesSchema = z.union(
  [ruleList, z.strictObject({ extends: z.literal(true), list: ruleList })],
  { error: 'a list of rules, or { extends: true, list: […] } to have the inherited ones after it' },
);

/** `rules` of plimsoll.config.yaml: what is decided before the classifier is asked. */
export const rulesSchema = ruleList
  .default([])
  .describe('Looked at in their order; the first that the request is like decides.');
