import { z } from 'zod';

export const openaiModelSchema = z
  .strictObject({
    id: z.string().describe('What `model` of a request may say.'),
    object: z.literal('model'),
    created: z.literal(0).describe('Not known here.'),
    owned_by: z.string().describe("The provider's name in the configuration; plimsoll for what is routed."),
  })
  .describe("A model in OpenAI's form.");

export const openaiModelListSchema = z.strictObject({
  object: z.literal('list'),
  data: z.array(openaiModelSchema),
});

export const anthropicModelSchema = z
  .strictObject({
    type: z.literal('model'),
    id: z.string().describe('What `model` of a request may say.'),
    display_name: z.string(),
    created_at: z.iso.datetime().describe('The epoch: not known here.'),
    max_input_tokens: z.int().positive().nullable(),
    max_tokens: z.int().positive().nullable(),
    capabilities: z.null(),
    line: z.null(),
    lifecycle: z.literal('active'),
    deprecated_at: z.null(),
    retires_at: z.null(),
  })
  .describe("A model in Anthropic's form, with null for what is not known here.");

export const anthropicModelListSchema = z.strictObject({
  data: z.array(anthropicModelSchema),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
});
