import { z } from 'zod';
import { firstIssue } from '../json.ts';

/**
 * Why OpenAI's chat completions would refuse the body, for the mistakes that clients and gateways make; undefined if they would
 * not. From the API reference, the types of the official client, and its error messages.
 */
export function openaiRefusal(body: Readonly<Record<string, unknown>>): string | undefined {
  const issue = firstIssue(request, body);
  if (issue !== undefined) return `Invalid request: ${issue}`;
  const valid = body as Request;
  return messageRefusal(valid.messages) ?? settingRefusal(valid) ?? reasoningRefusal(valid);
}

const nullable = <T extends z.ZodType>(schema: T) => schema.nullish();
const name = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "string does not match pattern '^[a-zA-Z0-9_-]+$'");
const participant = z.string().regex(/^[^\s<|\\/>]+$/, "string does not match pattern '^[^\\s<|\\\\/>]+$'");
const callId = z.string().min(1).max(40, 'string too long. Expected a string with maximum length 40');

const textPart = z.strictObject({ type: z.literal('text'), text: z.string() });
const userPart = z.discriminatedUnion('type', [
  textPart,
  z.strictObject({
    type: z.literal('image_url'),
    image_url: z.strictObject({ url: z.string(), detail: z.enum(['auto', 'low', 'high']).optional() }),
  }),
  z.strictObject({ type: z.literal('input_audio'), input_audio: z.looseObject({}) }),
  z.strictObject({ type: z.literal('file'), file: z.looseObject({}) }),
]);
/** A loose object: OpenAI's own agents library sends back `role`, `annotations`, `tool_calls` … in it. */
const assistantText = z.looseObject({ type: z.literal('text'), text: z.string() });
const texts = z.union([z.string(), z.array(textPart).min(1)]);
const toolCall = z.strictObject({
  id: callId,
  type: z.literal('function'),
  function: z.strictObject({ name, arguments: z.string() }),
});
const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: texts, name: participant.optional() }),
  z.strictObject({ role: z.literal('developer'), content: texts, name: participant.optional() }),
  z.strictObject({
    role: z.literal('user'),
    content: z.union([z.string(), z.array(userPart).min(1)]),
    name: participant.optional(),
  }),
  z.strictObject({
    role: z.literal('assistant'),
    content: nullable(
      z.union([
        z.string(),
        z
          .array(
            z.union([assistantText, z.strictObject({ type: z.literal('refusal'), refusal: z.string() })]),
          )
          .min(1),
      ]),
    ),
    name: participant.optional(),
    refusal: nullable(z.string()),
    audio: nullable(z.looseObject({})),
    function_call: nullable(z.strictObject({ name, arguments: z.string() })),
    tool_calls: z.array(toolCall).min(1).optional(),
  }),
  z.strictObject({
    role: z.literal('tool'),
    content: texts,
    tool_call_id: callId,
    name: z.string().optional(), // from the time when functions had no ids; clients still send it
  }),
  z.strictObject({ role: z.literal('function'), content: nullable(z.string()), name }),
]);

const request = z.strictObject({
  model: z.string().min(1),
  messages: z.array(message).min(1),
  audio: nullable(z.looseObject({})),
  frequency_penalty: nullable(z.number().min(-2).max(2)),
  function_call: z.unknown().optional(),
  functions: z.array(z.looseObject({ name })).optional(),
  logit_bias: nullable(z.record(z.string(), z.number())),
  logprobs: nullable(z.boolean()),
  max_completion_tokens: nullable(z.int().min(1)),
  max_tokens: nullable(z.int().min(1)),
  metadata: nullable(z.record(z.string(), z.string())),
  modalities: nullable(z.array(z.enum(['text', 'audio']))),
  n: nullable(z.int().min(1).max(128)),
  parallel_tool_calls: z.boolean().optional(),
  prediction: nullable(z.looseObject({})),
  presence_penalty: nullable(z.number().min(-2).max(2)),
  prompt_cache_key: nullable(z.string()),
  prompt_cache_options: z.looseObject({}).optional(),
  reasoning_effort: nullable(z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])),
  response_format: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text') }),
      z.strictObject({ type: z.literal('json_object') }),
      z.strictObject({
        type: z.literal('json_schema'),
        json_schema: z.strictObject({
          name,
          description: z.string().optional(),
          schema: z.record(z.string(), z.unknown()).optional(),
          strict: nullable(z.boolean()),
        }),
      }),
    ])
    .optional(),
  safety_identifier: nullable(z.string()),
  seed: nullable(z.int()),
  service_tier: nullable(z.enum(['auto', 'default', 'flex', 'scale', 'priority'])),
  stop: nullable(z.union([z.string(), z.array(z.string()).max(4)])),
  store: nullable(z.boolean()),
  stream: nullable(z.boolean()),
  stream_options: nullable(
    z.strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() }),
  ),
  temperature: nullable(z.number().min(0).max(2)),
  tool_choice: z
    .union([
      z.enum(['none', 'auto', 'required']),
      z.strictObject({ type: z.literal('function'), function: z.strictObject({ name }) }),
      z.strictObject({ type: z.literal('allowed_tools'), allowed_tools: z.looseObject({}) }),
    ])
    .optional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal('function'),
        function: z.strictObject({
          name,
          description: z.string().optional(),
          parameters: z.record(z.string(), z.unknown()).optional(),
          strict: nullable(z.boolean()),
        }),
      }),
    )
    .min(1)
    .max(128)
    .optional(),
  top_logprobs: nullable(z.int()),
  top_p: nullable(z.number().min(0).max(1)),
  user: z.string().optional(),
  verbosity: nullable(z.enum(['low', 'medium', 'high'])),
  web_search_options: z.looseObject({}).optional(),
});
type Request = z.infer<typeof request>;
type Message = Request['messages'][number];

/** Each tool call has its result in the messages right after it, and each result its call. */
function messageRefusal(messages: readonly Message[]): string | undefined {
  const open = new Set<string>();
  for (const [at, one] of messages.entries()) {
    if (one.role === 'tool') {
      if (!open.delete(one.tool_call_id)) {
        return `Invalid parameter: messages[${at}] with role 'tool' must be a response to a preceeding message with 'tool_calls'.`;
      }
      continue;
    }
    if (open.size > 0) return missingResults(open);
    if (one.role !== 'assistant') continue;
    const { content, tool_calls: calls = [], refusal, function_call: called, audio } = one;
    if (content == null && calls.length === 0 && !refusal && !called && !audio) {
      return `Invalid value for 'messages[${at}].content': expected a string, got null.`;
    }
    for (const { id } of calls) {
      if (open.has(id)) return `Duplicate value for 'tool_call_id' of '${id}' in messages[${at}].`;
      open.add(id);
    }
  }
  return open.size > 0 ? missingResults(open) : undefined;
}

function missingResults(ids: ReadonlySet<string>): string {
  return `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...ids].join(', ')}`;
}

function settingRefusal(request: Request): string | undefined {
  const { tools, parallel_tool_calls: parallel, tool_choice: choice, response_format: format } = request;
  if (tools === undefined && parallel !== undefined) {
    return "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.";
  }
  if (tools === undefined && choice !== undefined) {
    return "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.";
  }
  if (request.stream_options != null && request.stream !== true) {
    return "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
  }
  if (request.metadata != null && request.store !== true) {
    return "The 'metadata' parameter is only allowed when 'store' is enabled.";
  }
  if (format?.type === 'json_object' && !/json/i.test(JSON.stringify(request.messages))) {
    return "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
  }
  const strict = [
    ...(tools ?? []).map(({ function: { strict, parameters } }) => ({ strict, schema: parameters })),
    ...(format?.type === 'json_schema' ? [format.json_schema] : []),
  ].filter((one) => one.strict === true);
  return strict.some(({ schema }) => !isClosed(schema))
    ? "Invalid schema: with 'strict', 'additionalProperties' is required to be supplied and to be false, and 'required' to list every property."
    : undefined;
}

/** Every object in the schema is closed and requires all of its properties. */
function isClosed(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isClosed);
  if (typeof schema !== 'object' || schema === null) return true;
  const { type, properties, required, additionalProperties } = schema as Record<string, unknown>;
  if (type === 'object') {
    const names = Object.keys((properties ?? {}) as object);
    if (additionalProperties !== false) return false;
    if (!names.every((one) => ((required ?? []) as unknown[]).includes(one))) return false;
  }
  return Object.values(schema).every(isClosed);
}

const REASONING_MODEL = /^(o\d|gpt-([5-9]|\d\d))/;
const DEFAULT_ONLY: readonly (readonly [keyof Request, unknown])[] = [
  ['temperature', 1],
  ['top_p', 1],
  ['presence_penalty', 0],
  ['frequency_penalty', 0],
  ['logprobs', false],
];
/** Refuse an effort, and have no encrypted reasoning. */
export const NEVER_REASONS = /^gpt-(3|4)/;
const UNSUPPORTED = ['logit_bias', 'top_logprobs', 'stop'] as const;

function reasoningRefusal(request: Request): string | undefined {
  if (request.reasoning_effort != null && NEVER_REASONS.test(request.model))
    return 'Unrecognized request argument supplied: reasoning_effort';
  if (!REASONING_MODEL.test(request.model)) return undefined;
  if (request.max_tokens != null) {
    return "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
  }
  const changed = DEFAULT_ONLY.find(([field, only]) => request[field] != null && request[field] !== only);
  if (changed !== undefined) {
    const [field, only] = changed;
    return `Unsupported value: '${field}' does not support ${request[field]} with this model. Only the default (${only}) value is supported.`;
  }
  const field = UNSUPPORTED.find((one) => request[one] != null);
  return field && `Unsupported parameter: '${field}' is not supported with this model.`;
}
