import { z } from 'zod';

/** OpenAI's error envelope, which clients of such APIs know how to read. */
export const errorEnvelopeSchema = z
  .strictObject({
    error: z.strictObject({
      message: z.string().describe('A sentence for a person: what is wrong, and how to fix it.'),
      type: z.enum(['invalid_request_error', 'server_error']),
      param: z.string().nullable().describe('The field at fault, e.g. messages.0.role.'),
      code: z.string().describe('What is wrong, for a program. docs/API.md lists the codes.'),
    }),
  })
  .describe('What every refused request is answered with.');

/** OpenAI's form of an error on the routes that call models: the provider's own is passed on too, so more is allowed. */
export const openaiErrorSchema = z
  .looseObject({
    error: z.looseObject({
      message: z.string(),
      type: z
        .string()
        .nullable()
        .describe(
          'invalid_request_error, authentication_error, permission_error, rate_limit_error, server_error.',
        ),
      param: z.string().nullish(),
      code: z.union([z.string(), z.number()]).nullish().describe('docs/API.md lists the codes.'),
    }),
  })
  .describe("An error in the form of OpenAI's API; one that a provider made is passed on as it came.");

/** Anthropic's form of the same. */
export const anthropicErrorSchema = z
  .looseObject({
    type: z.literal('error'),
    error: z.looseObject({
      type: z.string().describe("Of Anthropic's API, such as overloaded_error."),
      message: z.string(),
      details: z
        .looseObject({ error_code: z.string().exactOptional(), param: z.string().exactOptional() })
        .nullish()
        .describe('error_code: what is wrong, for a program; docs/API.md lists the codes.'),
    }),
  })
  .describe("An error in the form of Anthropic's API; one that a provider made is passed on as it came.");
