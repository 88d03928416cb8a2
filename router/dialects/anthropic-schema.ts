import { z } from 'zod';
import { EFFORTS } from './reasoning.ts';

/**
 * The fields of POST /v1/messages that are mapped (https://docs.anthropic.com/en/api/messages). A literal is the value that says the same
 * as no field. What is not here is dropped or refused by the table in `fields.ts`.
 */
const cacheControl = z
  .strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() })
  .nullish();

/** Replies are sent back with fields that say nothing. */
const nothing = z.union([z.null(), z.literal(''), z.tuple([])]).optional();

const text = z.strictObject({
  type: z.literal('text'),
  text: z.string(),
  citations: nothing,
  cache_control: cacheControl,
});

const image = z.strictObject({
  type: z.literal('image'),
  source: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('base64'), media_type: z.string().regex(/^image\//), data: z.string() }),
    z.strictObject({ type: z.literal('url'), url: z.string() }),
  ]),
  cache_control: cacheControl,
});

const document = z.strictObject({
  type: z.literal('document'),
  source: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('base64'), media_type: z.literal('application/pdf'), data: z.string() }),
    z.strictObject({ type: z.literal('url'), url: z.string() }),
    z.strictObject({
      type: z.literal('text'),
      media_type: z.literal('text/plain').optional(),
      data: z.string(),
    }),
    z.strictObject({ type: z.literal('content'), content: z.union([z.string(), z.array(text)]) }),
  ]),
  title: z.string().nullish(),
  context: z.string().nullish(),
  citations: z.strictObject({ enabled: z.literal(false).optional() }).nullish(),
  cache_control: cacheControl,
});

const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [text, image, document]))]).nullish(),
  is_error: z.boolean().nullish(),
  cache_control: cacheControl,
});

const toolUse = z.strictObject({
  type: z.literal('tool_use'),
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  caller: z.strictObject({ type: z.literal('direct') }).nullish(),
  cache_control: cacheControl,
});

const user = z.strictObject({
  role: z.literal('user'),
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [text, image, document, toolResult]))]),
});

const assistant = z.strictObject({
  role: z.literal('assistant'),
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [text, toolUse]))]).nullish(),
});

const system = z.strictObject({
  role: z.literal('system'),
  content: z.union([z.string(), z.array(text)]),
});

const jsonSchema = z.record(z.string(), z.unknown());

const tool = z.strictObject({
  type: z.literal('custom').nullish(),
  name: z.string(),
  description: z.string().nullish(),
  input_schema: jsonSchema,
  strict: z.boolean().nullish(),
  cache_control: cacheControl,
  allowed_callers: z.tuple([z.literal('direct')]).nullish(),
});

const oneAtMost = { disable_parallel_tool_use: z.boolean().optional() };

const toolChoice = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('auto'), ...oneAtMost }),
  z.strictObject({ type: z.literal('any'), ...oneAtMost }),
  z.strictObject({ type: z.literal('tool'), name: z.string(), ...oneAtMost }),
  z.strictObject({ type: z.literal('none') }),
]);

const format = z.strictObject({ type: z.literal('json_schema'), schema: jsonSchema });

export const anthropicRequestSchema = z.strictObject({
  model: z.string(),
  max_tokens: z.int().positive(),
  messages: z.array(z.discriminatedUnion('role', [user, assistant, system])).min(1),
  system: z.union([z.string(), z.array(text)]).optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  top_k: z.int().optional(),
  stop_sequences: z.array(z.string()).optional(),
  stream: z.boolean().optional(),
  tools: z.array(tool).optional(),
  tool_choice: toolChoice.optional(),
  output_config: z.strictObject({ format: format.nullish(), effort: z.enum(EFFORTS).nullish() }).optional(),
  output_format: format.optional().describe('The older place of output_config.format.'),
  metadata: z.strictObject({ user_id: z.string().nullish() }).optional(),
  thinking: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('disabled') }),
      z.strictObject({ type: z.literal('enabled'), budget_tokens: z.int().positive().optional() }),
      z.strictObject({ type: z.enum(['adaptive', 'between_tools']) }),
    ])
    .optional(),
  service_tier: z.literal('auto').optional(),
  mcp_servers: z.tuple([]).optional(),
});

export type AnthropicRequest = z.infer<typeof anthropicRequestSchema>;
export type AnthropicMessage = AnthropicRequest['messages'][number];
export type AnthropicDocument = z.infer<typeof document>;
export type AnthropicText = z.infer<typeof text>;
export type AnthropicImage = z.infer<typeof image>;
