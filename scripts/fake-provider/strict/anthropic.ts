import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { THINKING_SIGNATURE } from '../anthropic.ts';
import { firstIssue } from '../json.ts';

/**
 * Why Anthropic's messages would refuse the request, for the mistakes that clients and gateways make; undefined if they would not.
 * From the API reference, the types of the official client, and its error messages; capabilities of models from the AI SDK's provider.
 */
export function anthropicRefusal(
  body: Readonly<Record<string, unknown>>,
  headers: IncomingHttpHeaders,
): string | undefined {
  if (headers['anthropic-version'] === undefined) return 'anthropic-version: header is required';
  const issue = firstIssue(request, body);
  if (issue !== undefined) return issue;
  const valid = body as Request;
  const betas = String(headers['anthropic-beta'] ?? '');
  return betaRefusal(body, betas) ?? modelRefusal(valid, betas) ?? messageRefusal(valid);
}

/** Why the counter of tokens would refuse the request: it takes what a prompt is made of, and nothing about the reply. */
export function anthropicCountRefusal(
  body: Readonly<Record<string, unknown>>,
  headers: IncomingHttpHeaders,
): string | undefined {
  return firstIssue(count, body) ?? anthropicRefusal({ ...body, max_tokens: MOST_TOKENS }, headers);
}

const cacheControl = z
  .strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() })
  .nullish();
const nonEmpty = z.string().regex(/\S/, 'text content blocks must contain non-whitespace text');
const toolId = z.string().regex(/^[a-zA-Z0-9_-]+$/, "String should match pattern '^[a-zA-Z0-9_-]+$'");
const toolName = z
  .string()
  .regex(/^[a-zA-Z0-9_-]{1,128}$/, "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'");

const text = z.strictObject({
  type: z.literal('text'),
  text: nonEmpty,
  cache_control: cacheControl,
  citations: z.unknown().optional(),
});
const source = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('base64'), media_type: z.string(), data: z.base64().min(1) }),
  z.strictObject({ type: z.literal('url'), url: z.string() }),
  z.strictObject({ type: z.literal('text'), media_type: z.literal('text/plain'), data: z.string() }),
  z.strictObject({ type: z.literal('file'), file_id: z.string() }),
  z.strictObject({ type: z.literal('content'), content: z.unknown() }),
]);
const image = z.strictObject({ type: z.literal('image'), source, cache_control: cacheControl });
const document = z.strictObject({
  type: z.literal('document'),
  source,
  title: z.string().nullish(),
  context: z.string().nullish(),
  citations: z.unknown().optional(),
  cache_control: cacheControl,
});
const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: toolId,
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [text, image, document]))]).optional(),
  is_error: z.boolean().optional(),
  cache_control: cacheControl,
});
const toolUse = z.strictObject({
  type: z.literal('tool_use'),
  id: toolId,
  name: toolName,
  input: z.record(z.string(), z.unknown()),
  caller: z.unknown().optional(),
  cache_control: cacheControl,
});
const thinking = z.strictObject({
  type: z.literal('thinking'),
  thinking: z.string(),
  signature: z.literal(THINKING_SIGNATURE, 'Invalid `signature` in `thinking` block'),
});
const redacted = z.strictObject({ type: z.literal('redacted_thinking'), data: z.string() });
const message = z.discriminatedUnion('role', [
  z.strictObject({
    role: z.literal('user'),
    content: z.union([
      nonEmpty,
      z.array(z.discriminatedUnion('type', [text, image, document, toolResult])).min(1),
    ]),
  }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.union([
      nonEmpty,
      z.array(z.discriminatedUnion('type', [text, toolUse, thinking, redacted])).min(1),
    ]),
  }),
  z.strictObject({ role: z.literal('system'), content: z.union([nonEmpty, z.array(text).min(1)]) }),
]);
const ownTool = z.strictObject({
  type: z.literal('custom').nullish(),
  name: toolName,
  description: z.string().optional(),
  input_schema: z.looseObject({ type: z.literal('object') }),
  cache_control: cacheControl,
  eager_input_streaming: z.boolean().nullish(),
  strict: z.boolean().optional(),
  defer_loading: z.boolean().optional(),
  input_examples: z.unknown().optional(),
  allowed_callers: z.unknown().optional(),
});
const serverTool = z.looseObject({ type: z.string().regex(/_\d{8}$/), name: z.string() });

const request = z.strictObject({
  model: z.string().min(1),
  max_tokens: z.int().min(1),
  messages: z.array(message).min(1),
  system: z.union([z.string(), z.array(text)]).optional(),
  cache_control: cacheControl,
  container: z.unknown().optional(),
  context_management: z.looseObject({}).nullish(),
  mcp_servers: z.array(z.unknown()).optional(),
  metadata: z.strictObject({ user_id: z.string().nullish() }).optional(),
  output_config: z
    .strictObject({
      effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      format: z.strictObject({ type: z.literal('json_schema'), schema: z.looseObject({}) }).nullish(),
    })
    .optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
  stop_sequences: z
    .array(z.string().regex(/\S/, 'each stop sequence must contain non-whitespace'))
    .optional(),
  stream: z.boolean().optional(),
  temperature: z.number().min(0).max(1).optional(),
  thinking: z
    .discriminatedUnion('type', [
      z.strictObject({
        type: z.literal('enabled'),
        budget_tokens: z.int().min(1024),
        display: z.string().optional(),
      }),
      z.strictObject({ type: z.literal('adaptive'), display: z.string().optional() }),
      z.strictObject({ type: z.enum(['disabled', 'between_tools']) }),
    ])
    .optional(),
  tool_choice: z
    .strictObject({
      type: z.enum(['auto', 'any', 'tool', 'none']),
      name: z.string().optional(),
      disable_parallel_tool_use: z.boolean().optional(),
    })
    .optional(),
  tools: z.array(z.union([ownTool, serverTool])).optional(),
  top_k: z.int().min(0).optional(),
  top_p: z.number().min(0).max(1).optional(),
});
const count = request.pick({
  model: true,
  messages: true,
  system: true,
  tools: true,
  tool_choice: true,
  thinking: true,
  cache_control: true,
  context_management: true,
  mcp_servers: true,
  output_config: true,
});
/** A budget of thinking is always below it. */
const MOST_TOKENS = 1_000_000;
type Request = z.infer<typeof request>;
type Message = Request['messages'][number];

const BETAS = {
  context_management: 'context-management-',
  mcp_servers: 'mcp-client-',
  container: 'code-execution-',
};

function betaRefusal(body: Readonly<Record<string, unknown>>, betas: string): string | undefined {
  const field = Object.entries(BETAS).find(
    ([name, beta]) => body[name] != null && !betas.includes(beta),
  )?.[0];
  return field && `${field}: Extra inputs are not permitted`;
}

interface Capabilities {
  readonly sampling: boolean;
  readonly adaptive: boolean;
  readonly betweenTools: boolean;
  readonly budget: boolean;
  readonly disabled: boolean;
  readonly forcedTool: boolean;
  readonly prefill: boolean;
  readonly systemTurns: boolean;
}

const OLDER: Capabilities = {
  sampling: true,
  adaptive: false,
  betweenTools: false,
  budget: true,
  disabled: true,
  forcedTool: true,
  prefill: true,
  systemTurns: false,
};
const ADAPTIVE: Capabilities = { ...OLDER, adaptive: true };
const WITHOUT_SAMPLING: Capabilities = { ...ADAPTIVE, sampling: false };
const NEWEST: Capabilities = { ...WITHOUT_SAMPLING, budget: false, prefill: false, systemTurns: true };

/** By the beginning of a model's name, the first that fits; from `getModelCapabilities` of the AI SDK. */
const CAPABILITIES: readonly (readonly [RegExp, Capabilities])[] = [
  [/^claude-sonnet-5-5/, { ...NEWEST, disabled: false, forcedTool: false, betweenTools: true }],
  [/^claude-(opus-5-5|fable-5-1)/, { ...NEWEST, disabled: false, forcedTool: false }],
  [/^claude-haiku-5-5/, NEWEST],
  [/^claude-fable-5/, { ...NEWEST, disabled: false }],
  [/^claude-(opus-5|opus-4-[78]|sonnet-5)/, WITHOUT_SAMPLING],
  [/^claude-(opus|sonnet)-4-6/, ADAPTIVE],
];

function capabilitiesOf(model: string): Capabilities {
  return CAPABILITIES.find(([name]) => name.test(model))?.[1] ?? OLDER;
}

function modelRefusal(request: Request, betas: string): string | undefined {
  const { temperature, top_p, top_k, thinking: think, output_config: output, tool_choice: choice } = request;
  const can = capabilitiesOf(request.model);
  if (!can.sampling && (temperature ?? top_p ?? top_k) !== undefined) {
    return '`temperature`, `top_p` and `top_k` are not supported by this model.';
  }
  if (temperature !== undefined && top_p !== undefined) {
    return '`temperature` and `top_p` cannot both be specified for this model. Please use only one.';
  }
  if (think?.type === 'adaptive' && !can.adaptive) return 'adaptive thinking is not supported on this model';
  if (think?.type === 'between_tools' && !can.betweenTools)
    return 'thinking.type: "between_tools" is not supported by this model.';
  if (output?.effort != null && !can.adaptive) return 'This model does not support the effort parameter.';
  if (think?.type === 'enabled') {
    if (!can.budget) return 'thinking.type: "enabled" is not supported by this model. Use "adaptive".';
    if (think.budget_tokens >= request.max_tokens)
      return '`max_tokens` must be greater than `thinking.budget_tokens`.';
    if (temperature !== undefined && temperature !== 1) {
      return '`temperature` may only be set to 1 when thinking is enabled.';
    }
  }
  if (think?.type === 'disabled' && !can.disabled)
    return 'thinking.type: "disabled" is not supported by this model.';
  const forced = choice?.type === 'any' || choice?.type === 'tool';
  if (forced && (!can.forcedTool || think?.type === 'enabled')) {
    return 'Thinking may not be enabled when tool_choice forces tool use.';
  }
  if (request.messages.some(({ role }) => role === 'system')) {
    if (!betas.includes('mid-conversation-') || !can.systemTurns) {
      return "messages: role 'system' is not supported on this model";
    }
  }
  if (!can.prefill && request.messages.at(-1)?.role === 'assistant') {
    return 'This model does not support assistant message prefill. The conversation must end with a user message.';
  }
  return undefined;
}

/** Cache marks, the order of roles, and the result of each tool use at the beginning of the next message. */
function messageRefusal(request: Request): string | undefined {
  if ((JSON.stringify(request).match(/"cache_control":\{/g)?.length ?? 0) > 4) {
    return 'A maximum of 4 blocks with cache_control may be provided.';
  }
  if (request.messages[0]?.role !== 'user') return 'messages: first message must use the "user" role';
  const seen = new Set<string>();
  let open = new Set<string>();
  for (const [at, one] of merged(request.messages).entries()) {
    const refused = one.role === 'user' ? resultRefusal(one, at, open) : undefined;
    if (refused !== undefined) return refused;
    open = new Set(one.content.flatMap((block) => (block.type === 'tool_use' ? [String(block.id)] : [])));
    for (const id of open) {
      if (seen.has(id)) return `messages.${at}: \`tool_use\` ids must be unique`;
      seen.add(id);
    }
  }
  if (open.size > 0) return missingResults(open);
  return thinkingRefusal(request);
}

interface Turn {
  readonly role: Message['role'];
  readonly content: readonly { readonly type: string; readonly [field: string]: unknown }[];
}

/** Consecutive messages of one role are one turn, as the API reads them. */
function merged(messages: readonly Message[]): readonly Turn[] {
  const turns: Turn[] = [];
  for (const { role, content } of messages) {
    const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    const last = turns.at(-1);
    if (role === 'system') continue;
    if (last?.role === role) turns[turns.length - 1] = { role, content: [...last.content, ...blocks] };
    else turns.push({ role, content: blocks });
  }
  return turns;
}

function resultRefusal({ content }: Turn, at: number, open: Set<string>): string | undefined {
  let afterOther = false;
  for (const block of content) {
    if (block.type !== 'tool_result') {
      afterOther = true;
      continue;
    }
    if (!open.delete(String(block['tool_use_id']))) {
      return `messages.${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${block['tool_use_id']}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
    }
    if (afterOther) return `messages.${at}: \`tool_result\` blocks must come before other content`;
  }
  return open.size > 0 ? missingResults(open) : undefined;
}

function missingResults(ids: ReadonlySet<string>): string {
  return `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${[...ids].join(', ')}.`;
}

/** With a thinking budget, a turn that is still calling tools starts with the thinking that led to the call. */
function thinkingRefusal({ thinking: think, messages }: Request): string | undefined {
  const turns = merged(messages);
  const last = turns.findLast(({ role }) => role === 'assistant');
  const calling = turns.at(-1)?.content.some(({ type }) => type === 'tool_result');
  if (think?.type !== 'enabled' || !calling || last === undefined) return undefined;
  const first = String(last.content[0]?.type);
  return first === 'thinking' || first === 'redacted_thinking'
    ? undefined
    : `Expected \`thinking\` or \`redacted_thinking\`, but found \`${first}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block.`;
}
