import { randomUUID } from 'node:crypto';
import { isObject, objectIn } from '../json/index.ts';
import {
  type OfferedTool,
  type ReplyContext,
  type ReplyNotes,
  readUsage,
  tokenCount,
  unexpectedFile,
  unifiedFinish,
} from '../sdk-terms/index.ts';
import {
  type Content,
  type FinishReason,
  type GenerateResult,
  type SdkUsage,
  validToolId,
  withoutUndefined,
} from '../targets/index.ts';
import { reasoningProof } from './reasoning.ts';
import { customText } from './tools.ts';

type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** An item of a reply's output. */
export type OutputItem = { readonly type: string; readonly id: string; readonly [field: string]: unknown };

/** How far a reply has come. */
export interface ResponseState {
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed';
  readonly output: readonly OutputItem[];
  readonly usage?: object | undefined;
  /** Why it is incomplete. */
  readonly reason?: 'max_output_tokens' | 'content_filter' | undefined;
}

export function itemId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}

/** The SDK's result as a response (https://platform.openai.com/docs/api-reference/responses/object). */
export function responsesReply(result: GenerateResult, context: ReplyContext, notes: ReplyNotes): object {
  const end = responseEnd(result.finishReason, hasCalls(result.content), notes);
  const output = outputItems(result.content, context, end.status);
  if (end.refusal !== undefined) addRefusal(output, end.refusal);
  return responseObject(context, {
    status: end.status,
    reason: end.reason,
    output,
    usage: responsesUsage(result.usage),
  });
}

function hasCalls(content: readonly Content[]): boolean {
  return content.some((part) => part.type === 'tool-call' && !part.providerExecuted);
}

/** Each text is a message, unless it follows another one directly. */
function outputItems(
  content: readonly Content[],
  context: ReplyContext,
  status: 'completed' | 'incomplete',
): OutputItem[] {
  const items: OutputItem[] = [];
  let text = '';
  const endText = () => {
    if (text !== '') items.push(messageItem(itemId('msg'), [textPart(text)], 'completed'));
    text = '';
  };
  for (const part of content) {
    if (part.type === 'file') throw unexpectedFile();
    if (part.type === 'text') text += part.text;
    if (part.type === 'reasoning') {
      endText();
      items.push(reasoningItem(itemId('rs'), part.text, reasoningProof(context.kind, part.providerMetadata)));
    }
    if (part.type !== 'tool-call' || part.providerExecuted) continue;
    endText();
    const proof = reasoningProof(context.kind, part.providerMetadata, true);
    if (proof !== undefined) items.push(reasoningItem(itemId('rs'), '', proof));
    const offered = context.tools.get(part.toolName);
    items.push(
      callItem({ ...callHead(part.toolCallId, part.toolName, offered), input: part.input }, 'completed'),
    );
  }
  endText();
  const last = items.at(-1);
  if (status === 'incomplete' && last !== undefined && 'status' in last)
    items[items.length - 1] = { ...last, status };
  return items;
}

/** In the last message, or one of its own. */
function addRefusal(items: OutputItem[], refusal: string): void {
  const last = items.at(-1);
  if (last?.type !== 'message') {
    items.push(messageItem(itemId('msg'), [refusalPart(refusal)], 'completed'));
    return;
  }
  const content = [...(last['content'] as readonly object[]), refusalPart(refusal)];
  items[items.length - 1] = { ...last, content };
}

export function textPart(text: string): object {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

export function refusalPart(refusal: string): object {
  return { type: 'refusal', refusal };
}

export function messageItem(id: string, content: readonly object[], status: ItemStatus): OutputItem {
  return { type: 'message', id, status, role: 'assistant', content };
}

export function summaryPart(text: string): object {
  return { type: 'summary_text', text };
}

export function reasoningItem(id: string, text: string, proof: string | undefined): OutputItem {
  const summary = text === '' ? [] : [summaryPart(text)];
  return { type: 'reasoning', id, summary, ...(proof !== undefined && { encrypted_content: proof }) };
}

/** A call of a tool, as the client offered that. */
export interface CallHead {
  readonly type: OfferedTool['type'];
  readonly id: string;
  readonly callId: string;
  readonly name: string;
  readonly namespace: string | undefined;
}

export function callHead(callId: string, name: string, offered: OfferedTool | undefined): CallHead {
  const { type = 'function', name: own = name, namespace } = offered ?? {};
  const id = itemId(type === 'custom' ? 'ctc' : 'fc');
  return { type, id, callId: validToolId(callId), name: own, namespace };
}

export function callItem(
  { type, id, callId, name, namespace, input }: CallHead & { readonly input: string },
  status: ItemStatus,
): OutputItem {
  const head = { id, status, call_id: callId, name, ...(namespace !== undefined && { namespace }) };
  return type === 'custom'
    ? { type: 'custom_tool_call', ...head, input: callInput(type, input) }
    : { type: 'function_call', ...head, arguments: callInput(type, input) };
}

/** The input of a whole call as its item has it. */
export function callInput(type: CallHead['type'], input: string): string {
  if (type === 'custom') return input === '' ? '' : customText(input);
  return input;
}

interface ResponseEnd {
  readonly status: 'completed' | 'incomplete';
  readonly reason: ResponseState['reason'];
  /** The model's words if it refused; ours if it gave none. */
  readonly refusal: string | undefined;
}

/** A refusal is a whole reply; one that a limit or a filter cut off is incomplete. */
export function responseEnd(finish: FinishReason, calls: boolean, { refusal }: ReplyNotes): ResponseEnd {
  const said = refusal ?? (finish.raw === 'refusal' ? 'The model refused to answer.' : undefined);
  const unified = unifiedFinish(finish, calls);
  if (unified === 'length') return { status: 'incomplete', reason: 'max_output_tokens', refusal: said };
  if (unified === 'content-filter' && said === undefined)
    return { status: 'incomplete', reason: 'content_filter', refusal: undefined };
  return { status: 'completed', reason: undefined, refusal: said };
}

/** `usage` of a response, whose `input_tokens` include those read from a cache; undefined if unknown. */
export function responsesUsage(usage: SdkUsage): object | undefined {
  const counts = readUsage(usage);
  if (counts === undefined) return undefined;
  const { inputTokens, outputTokens, cachedInputTokens = 0 } = counts;
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedInputTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: tokenCount(usage.outputTokens.reasoning) ?? 0 },
    total_tokens: inputTokens + outputTokens,
  };
}

/** The whole response: its outcome so far, and the settings of the request. */
export function responseObject(
  { id, created, model, body, stored }: ReplyContext,
  { status, output, usage, reason }: ResponseState,
): object {
  const text = objectIn(body, 'text');
  const reasoning = objectIn(body, 'reasoning');
  return withoutUndefined({
    id,
    object: 'response',
    created_at: created,
    completed_at: status === 'completed' ? Math.floor(Date.now() / 1000) : null,
    status,
    background: false,
    error: null,
    incomplete_details: reason === undefined ? null : { reason },
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    max_tool_calls: body['max_tool_calls'] ?? null,
    model,
    output,
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: null,
    prompt_cache_key: body['prompt_cache_key'] ?? null,
    reasoning: { effort: reasoning['effort'] ?? null, summary: reasoning['summary'] ?? null },
    safety_identifier: body['safety_identifier'] ?? null,
    service_tier: 'default',
    store: stored,
    temperature: body['temperature'] ?? 1,
    text: { ...text, format: isObject(text['format']) ? text['format'] : { type: 'text' } },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: Array.isArray(body['tools']) ? body['tools'] : [],
    top_logprobs: 0,
    top_p: body['top_p'] ?? 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    truncation: body['truncation'] ?? 'disabled',
    usage: usage ?? null,
    user: body['user'],
    metadata: isObject(body['metadata']) ? body['metadata'] : {},
  });
}
