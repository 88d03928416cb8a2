import { z } from 'zod';
import { MAX_MODEL_CHARACTERS } from '../catalog/index.ts';
import { TAG, TAG_RULE } from '../request-tags.ts';
import { DAYS } from '../rules/index.ts';
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

const range = z
  .strictObject({ at_least: z.int().min(0).optional(), at_most: z.int().min(0).optional() })
  .refine(({ at_least, at_most }) => at_least !== undefined || at_most !== undefined, {
    error: 'give at_least, at_most or both',
  })
  .transform(camelCased);

const TIME = /^([01]\d|2[0-3]):([0-5]\d)$/;
const time = z
  .string()
  .regex(TIME, 'a time of day such as "08:30", in quotation marks')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));

const SECRET_HEADERS = /^(?:authorization|proxy-authorization|cookie|x-api-key|api-key|x-goog-api-key)$/i;

const when = z
  .strictObject({
    task: oneOf(label).optional().describe('The task, as the client names it in x-plimsoll-task.'),
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
    hours: z
      .strictObject({ from: time, to: time })
      .refine(({ from, to }) => from !== to, {
        error: 'from and to are the same; leave hours out for all day',
      })
      .optional()
      .describe(
        'From a time of day to before another, in time_zone; over midnight if `to` is the earlier one.',
      ),
    time_zone: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('IANA name, such as Europe/Berlin. Default UTC.'),
    matches: z
      .string()
      .min(1)
      .max(1_000)
      .optional()
      .describe(
        'A regular expression of RE2 that matches somewhere in the text that is scored. (?i) at its start ignores case.',
      ),
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
      .describe('A rung, or <provider>/<model>, without asking the classifier.'),
    profile: z.string().min(1).optional().describe('The profile that decides.'),
    at_least: z.string().min(1).optional().describe('The cheapest rung that the policy may choose.'),
    at_most: z.string().min(1).optional().describe('The strongest rung that may be chosen and called.'),
    refuse: z.string().min(1).max(500).optional().describe('The request gets a 403 with this sentence.'),
  })
  .refine((fields) => ACTIONS.filter((action) => fields[action] !== undefined).length === 1, {
    error: `needs exactly one of ${ACTIONS.join(', ')}`,
  })
  .transform(camelCased);

/** `rules` of plimsoll.config.yaml: what is decided before the classifier is asked. */
export const rulesSchema = z
  .array(rule)
  .max(MAX_RULES)
  .superRefine((rules, context) => {
    const names = rules.map(({ name }) => name);
    const index = names.findIndex((name, at) => names.indexOf(name) < at);
    if (index === -1) return;
    const message = `there are two rules named "${names[index]}"`;
    context.addIssue({ code: 'custom', message, path: [index, 'name'] });
  })
  .default([])
  .describe('Looked at in their order; the first that the request is like decides.');
