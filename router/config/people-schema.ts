import { z } from 'zod';
import { REPLY_MODES } from '../people/index.ts';
import { camelCased } from './camel-cased.ts';
import { variableName } from './variable-name.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export const replyModeSchema = z
  .enum(REPLY_MODES)
  .describe(
    'poll: 202 with a place to poll. wait: the request, or its stream, waits. fallback: the fallback model replies at once. A stream under poll waits.',
  );

const desk = z
  .strictObject({
    cost_per_minute_usd: z.number().min(0).max(1_000).describe('What a minute at work costs, in US dollars.'),
    minutes: z
      .number()
      .gt(0)
      .max(1_440)
      .describe(
        'What a reply usually takes: for limits and comparisons, and for replies to tasks that nobody claimed.',
      ),
    deadline_ms: z
      .int()
      .min(1_000)
      .max(7 * DAY_MS)
      .default(60 * MINUTE_MS)
      .describe('From the request until a reply is too late.'),
    claim_ms: z
      .int()
      .min(1_000)
      .max(DAY_MS)
      .default(15 * MINUTE_MS)
      .describe('How long a task is kept for whoever claimed it.'),
    keep_ms: z
      .int()
      .min(MINUTE_MS)
      .max(90 * DAY_MS)
      .default(7 * DAY_MS)
      .describe('How long a task and its reply are kept after the deadline.'),
    max_waiting: z
      .int()
      .min(1)
      .max(1_000)
      .default(100)
      .describe('Requests that may wait at once; of more, clients get 429, or the fallback model.'),
    reply: replyModeSchema.default('poll'),
    fallback: z
      .string()
      .min(1)
      .optional()
      .describe('<provider>/<model> that replies where reply or when_late says fallback.'),
    when_late: z
      .enum(['error', 'fallback'])
      .default('error')
      .describe(
        'After the deadline, or if the queue is full: an error, or a reply of the fallback model. A client that polls gets the error after the deadline.',
      ),
    webhook: z
      .strictObject({
        url_env: variableName('address')
          .optional()
          .describe('NAME of the environment variable with the address that is notified of each task.'),
        secret_env: variableName('secret').describe(
          'NAME of the environment variable with the secret of the signatures: whsec_ and 24 to 64 bytes in base64.',
        ),
      })
      .transform(camelCased)
      .optional()
      .describe('Signed messages in the form of Standard Webhooks: of tasks out, with replies in.'),
  })
  .superRefine(({ reply, when_late, fallback }, context) => {
    if (fallback !== undefined || (reply !== 'fallback' && when_late !== 'fallback')) return;
    const message = 'is missing: name the model that replies in place of people';
    context.addIssue({ code: 'custom', path: ['fallback'], message });
  })
  .transform(camelCased);

/** `people` of plimsoll.config.yaml: who answers requests that no model should. Each is a model `human/<name>`. */
export const peopleSchema = z
  .record(
    z
      .string()
      .max(100)
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dot, dash and underscore'),
    desk,
  )
  .default({})
  .describe(
    'Name -> people who answer requests: a rung, or a model of a rule, as human/<name>. Needs providers.',
  );
