import { z } from 'zod';
import { camelCased } from './camel-cased.ts';

/** `feedback` of plimsoll.config.yaml: what clients and end users say about replies. Without it none is taken. */
export const feedbackSchema = z
  .strictObject({
    tokens: z
      .boolean()
      .default(false)
      .describe(
        'Whether replies have x-plimsoll-feedback-token, by which their end user can give feedback without an API key.',
      ),
    token_ttl_ms: z
      .int()
      .min(60_000)
      .max(90 * 86_400_000)
      .default(7 * 86_400_000)
      .describe('How long such a token is good.'),
  })
  .describe('POST /v1/feedback: what is said of replies, kept in the state. Off without this part.')
  .transform(camelCased);
