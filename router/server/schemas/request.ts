import { z } from 'zod';

const contentPart = z
  .looseObject({ type: z.string(), text: z.string().exactOptional() })
  .describe(
    'A part of a message. Texts are read; images, files, tool calls and their results are passed over.',
  );

export const message = z
  .looseObject({
    role: z.string().min(1),
    content: z.union([z.string(), z.array(contentPart), z.null()]).exactOptional(),
  })
  .describe('A turn of a conversation, in the shape of OpenAI or Anthropic. Further fields are allowed.');

const EXACTLY_ONE = { oneOf: [{ required: ['prompt'] }, { required: ['messages'] }] };

/** The body of POST /v1/route: a prompt or messages, exactly one of the two. */
export function routeRequestSchema(maxMessages: number) {
  return z
    .strictObject({
      prompt: z.string().exactOptional().describe('What the person asked.'),
      messages: z.array(message).min(1).max(maxMessages).exactOptional(),
      policy: z.string().min(1).max(200).exactOptional().describe('Policy that decides; /readyz lists them.'),
      explain: z.boolean().exactOptional().describe('Add the sum behind each score.'),
    })
    .refine((body) => (body.prompt === undefined) !== (body.messages === undefined), {
      error: 'give exactly one of prompt and messages',
      path: ['prompt'],
    })
    .meta(EXACTLY_ONE);
}

export type RouteRequest = z.infer<ReturnType<typeof routeRequestSchema>>;

/** The body of POST /v1/route/batch. Items are checked one by one, so that one that is wrong fails alone. */
export function batchRequestSchema<Item extends z.ZodType>(item: Item, maxBatch: number) {
  return z.strictObject({
    requests: z.array(item).min(1).max(maxBatch),
    policy: z.string().min(1).max(200).exactOptional().describe('For the items that name none themselves.'),
  });
}
