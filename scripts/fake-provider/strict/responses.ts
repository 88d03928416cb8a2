import { z } from 'zod';
import { firstIssue } from '../json.ts';
import { NEVER_REASONS } from './openai.ts';

/**
 * Why OpenAI's Responses API would refuse the body, for the mistakes that clients and gateways make; undefined if it would not. From the
 * API reference, the types of the official client, and its error messages.
 */
export function responsesRefusal(body: Readonly<Record<string, unknown>>): string | undefined {
  const issue = firstIssue(request, body);
  if (issue !== undefined) return `Invalid request: ${issue}`;
  const { input, ...settings } = body as Request;
  return modelRefusal(settings) ?? (typeof input === 'string' ? undefined : itemRefusal(input));
}

const name = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "string does not match pattern '^[a-zA-Z0-9_-]+$'");
const text = z.strictObject({ type: z.literal('input_text'), text: z.string() });
const image = z.strictObject({
  type: z.literal('input_image'),
  image_url: z.string().optional(),
  file_id: z.string().optional(),
  detail: z.enum(['auto', 'low', 'high']).optional(),
});
const file = z.strictObject({
  type: z.literal('input_file'),
  file_data: z.string().optional(),
  file_url: z.string().optional(),
  file_id: z.string().optional(),
  filename: z.string().optional(),
});
const input = z.discriminatedUnion('type', [text, image, file]);
const output = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('output_text'),
    text: z.string(),
    annotations: z.array(z.unknown()).optional(),
    logprobs: z.array(z.unknown()).optional(),
  }),
  z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
]);
const status = z.enum(['in_progress', 'completed', 'incomplete']).optional();
const id = (prefix: string) =>
  z.string().max(64).startsWith(prefix, `Expected an ID that begins with '${prefix}'.`).optional();
const callId = z.string().min(1).max(64);
const toolOutput = z.union([z.string(), z.array(input)]);

const item = z.union([
  z.strictObject({
    type: z.literal('message').optional(),
    role: z.literal('assistant'),
    content: z.union([z.string(), z.array(output)]),
    id: id('msg_'),
    status,
    phase: z.string().nullish(),
  }),
  z.strictObject({
    type: z.literal('message').optional(),
    role: z.enum(['user', 'system', 'developer']),
    content: z.union([z.string(), z.array(input).min(1)]),
    id: id('msg_'),
    status,
  }),
  z.strictObject({
    type: z.literal('function_call'),
    id: id('fc_'),
    call_id: callId,
    name,
    arguments: z.string(),
    namespace: z.string().nullish(),
    status,
  }),
  z.strictObject({
    type: z.literal('function_call_output'),
    id: z.string().nullish(),
    call_id: callId,
    output: toolOutput,
    status,
  }),
  z.strictObject({
    type: z.literal('custom_tool_call'),
    id: id('ctc_'),
    call_id: callId,
    name,
    input: z.string(),
    status,
  }),
  z.strictObject({
    type: z.literal('custom_tool_call_output'),
    id: z.string().nullish(),
    call_id: callId,
    output: toolOutput,
  }),
  z.strictObject({
    type: z.literal('reasoning'),
    id: id('rs_'),
    summary: z.array(z.strictObject({ type: z.literal('summary_text'), text: z.string() })),
    encrypted_content: z
      .string()
      .startsWith('gAAAAA', 'The encrypted content could not be verified.')
      .nullish(),
    status,
  }),
]);

const tool = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('function'),
    name,
    description: z.string().nullish(),
    parameters: z.looseObject({}).nullish(),
    strict: z.boolean().nullish(),
  }),
  z.strictObject({
    type: z.literal('custom'),
    name,
    description: z.string().optional(),
    format: z.looseObject({}).optional(),
  }),
  z.looseObject({
    type: z.enum([
      'web_search',
      'web_search_preview',
      'file_search',
      'code_interpreter',
      'mcp',
      'image_generation',
      'namespace',
    ]),
  }),
]);

const request = z.strictObject({
  model: z.string(),
  input: z.union([z.string(), z.array(item)]),
  instructions: z.string().nullish(),
  tools: z.array(tool).optional(),
  tool_choice: z.union([z.string(), z.looseObject({ type: z.string() })]).optional(),
  parallel_tool_calls: z.boolean().nullish(),
  max_output_tokens: z.int().min(16, 'integer below minimum value').nullish(),
  max_tool_calls: z.int().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_logprobs: z.int().nullish(),
  text: z.looseObject({}).optional(),
  reasoning: z.looseObject({}).nullish(),
  include: z.array(z.string()).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({}).nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  user: z.string().optional(),
  safety_identifier: z.string().optional(),
  prompt_cache_key: z.string().optional(),
  prompt_cache_retention: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  conversation: z.unknown().optional(),
  service_tier: z.string().nullish(),
  background: z.boolean().nullish(),
  client_metadata: z.record(z.string(), z.string()).optional(),
});

type Request = z.infer<typeof request>;

function modelRefusal({
  model,
  reasoning,
  include,
  ...settings
}: Omit<Request, 'input'>): string | undefined {
  if (NEVER_REASONS.test(model)) {
    if (reasoning?.['effort'] != null)
      return "Unsupported parameter: 'reasoning.effort' is not supported with this model.";
    if (include?.includes('reasoning.encrypted_content'))
      return 'Encrypted content is not supported with this model.';
  }
  const version = Number(/^gpt-(\d+(\.\d)?)/.exec(model)?.[1] ?? (/^o\d/.test(model) ? 5 : 4));
  const reasons =
    version === 5 || version >= 6 || (version > 5 && (reasoning?.['effort'] ?? 'none') !== 'none');
  if (!reasons) return undefined;
  const field = (['temperature', 'top_p', 'top_logprobs'] as const).find(
    (name) => (settings[name] ?? 1) !== 1,
  );
  return field && `Unsupported parameter: '${field}' is not supported with this model.`;
}

/** Every call has its result, and every result its call. */
function itemRefusal(items: Exclude<Request['input'], string>): string | undefined {
  const open = new Set<string>();
  for (const one of items) {
    if (one.type === 'function_call' || one.type === 'custom_tool_call') open.add(one.call_id);
    const isResult = one.type === 'function_call_output' || one.type === 'custom_tool_call_output';
    if (isResult && !open.delete(one.call_id)) {
      return `No tool call found for function call output with call_id ${one.call_id}.`;
    }
  }
  const [first] = open;
  return first === undefined ? undefined : `No tool output found for function call ${first}.`;
}
