import { z } from 'zod';

/** OpenAI's error envelope, which clients of such APIs know how to read. */
export const errorEnvelopeSchema = z
  .strictObject({
    error: z.strictObject({
      message: z.string().describe('A sentence for a person: what is wrong, and how to mend it.'),
      type: z.enum(['invalid_request_error', 'server_error']),
      param: z.string().nullable().describe('The field at fault, e.g. messages.0.role.'),
      code: z.string().describe('What is wrong, for a program. docs/API.md lists the codes.'),
    }),
  })
  .describe('What every refused request is answered with.');
