import { z } from 'zod';

/** The body of POST /v1/decision: the first two fields are Switchyard's, the others are this server's. */
export const decisionCallSchema = z.strictObject({
  input_format: z
    .enum(['openai_chat', 'openai_responses', 'anthropic_messages'])
    .describe('The API that the request is of.'),
  request: z
    .looseObject({})
    .describe('A whole request of that API. Its model says what is asked: auto, or a profile.'),
  mode: z
    .enum(['enforce', 'observe'])
    .default('enforce')
    .describe('observe: the strongest candidate is selected, and the headers say what routing would select.'),
  deadline_ms: z
    .int()
    .min(1)
    .max(60_000)
    .exactOptional()
    .describe('After it, counted from when the request came, the strongest candidate is selected.'),
});
