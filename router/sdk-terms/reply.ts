import { randomUUID } from 'node:crypto';
import { type Dialect, type ProviderKind, requirementsOf, type TokenCounts } from '../catalog/index.ts';
import { countIn, isObject, objectIn, objectsIn } from '../json/index.ts';
import {
  type Content,
  type FinishReason,
  type ModelRequest,
  type SdkUsage,
  validToolId,
} from '../targets/index.ts';
import { type OfferedTool, offeredTools, type ReplacedNames } from './tools.ts';

/** What a reply, or every chunk of it, contains besides the model's words. */
export interface ReplyContext {
  readonly dialect: Dialect;
  /** Plimsoll's own: a reply's id from another dialect would mean nothing to the client. */
  readonly id: string;
  /** The model's name in the catalog, `<provider>/<model>`, which the client can request. */
  readonly model: string;
  /** Seconds since 1970, UTC. */
  readonly created: number;
  /** Whether an OpenAI stream ends with a chunk of usage. Anthropic's streams always have it. */
  readonly includeUsage: boolean;
  /** The client offered OpenAI's older functions, and reads a call in `function_call`. */
  readonly functions: boolean;
  /** Which of several replies to one request it is, from 0. */
  readonly choice: number;
  /** Estimate for Anthropic's clients, who get a count before the provider has counted; 0 for OpenAI's. */
  readonly inputTokens: number;
  /** Tools that the provider knows by another name than the client. */
  readonly replacedNames: ReplacedNames;
  /** The kind of provider that replies. */
  readonly kind: ProviderKind;
  /** The client's request: replies of the Responses API repeat its settings. */
  readonly body: ModelRequest['body'];
  /** Tools of the Responses API that are no plain functions there. */
  readonly tools: ReadonlyMap<string, OfferedTool>;
  /** The reply is kept here, and can be read again by its id. */
  readonly stored: boolean;
}

const NO_TOOLS: ReplyContext['tools'] = new Map();

const ID_PREFIXES: Readonly<Record<Dialect, string>> = {
  openai: 'chatcmpl-',
  anthropic: 'msg_',
  responses: 'resp_',
};

export function replyContext(
  { dialect, model, body, stored = false }: ModelRequest,
  replacedNames: ReplacedNames,
): ReplyContext {
  return {
    dialect,
    id: ID_PREFIXES[dialect] + randomUUID().replaceAll('-', ''),
    model: model.name,
    created: Math.floor(Date.now() / 1000),
    includeUsage: isObject(body['stream_options']) && body['stream_options']['include_usage'] === true,
    functions: offersFunctions(body),
    choice: 0,
    inputTokens: dialect === 'anthropic' ? requirementsOf(body, dialect).inputTokens : 0,
    replacedNames,
    kind: model.provider.kind,
    body,
    tools: dialect === 'responses' ? offeredTools(body) : NO_TOOLS,
    stored,
  };
}

function offersFunctions({ functions, tools }: ModelRequest['body']): boolean {
  return Array.isArray(functions) && functions.length > 0 && !tools;
}

/** Information in a reply that the AI SDK has no field for. */
export interface ReplyNotes {
  /** The model refused, in these words: OpenAI's `refusal`, or Anthropic's explanation. */
  refusal?: string;
  /** The SDK's counts are placeholders: the provider sent none. */
  usageUnknown?: boolean;
  /** Log-probabilities of the reply's tokens, as the provider sent them, if they were asked for. */
  logprobs?: unknown[];
}

/**
 * A model's reply has no form in the client's dialect: it holds what cannot be carried (`unreadable`), or its stream ended before the
 * model had finished (`incomplete`). The message quotes nothing of the reply.
 */
export class ReplyError extends Error {
  readonly reason: 'unreadable' | 'incomplete';

  constructor(reason: ReplyError['reason'], message: string) {
    super(message);
    this.name = 'ReplyError';
    this.reason = reason;
  }
}

interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON. */
  readonly input: string;
}

/** A file that the model made. */
export type ReplyFile = Extract<Content, { type: 'file' }>;

/** The parts of a reply that are the reply proper. */
interface ReplyParts {
  readonly texts: readonly string[];
  readonly files: readonly ReplyFile[];
  readonly calls: readonly ToolCall[];
}

/**
 * Texts and tool calls of a reply. Reasoning is left out, since another provider's signature would mean nothing to the client; its tokens
 * are counted in the usage. Sources are left out too.
 */
export function readParts(content: readonly Content[]): ReplyParts {
  const texts = content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const calls = content.flatMap((part) =>
    part.type === 'tool-call' && !part.providerExecuted ? [readCall(part)] : [],
  );
  return { texts, files: content.filter((part) => part.type === 'file'), calls };
}

function readCall({ toolCallId, toolName, input }: Extract<Content, { type: 'tool-call' }>): ToolCall {
  return { id: validToolId(toolCallId), name: toolName, input: input.trim() === '' ? '{}' : input };
}

/** Whether an API has a place in its replies for a file: OpenAI's clients know pictures in the form of OpenRouter. */
export function carriesFile(dialect: Dialect, { mediaType }: ReplyFile): boolean {
  return dialect === 'openai' && mediaType.startsWith('image/');
}

export function unexpectedFile(): ReplyError {
  return new ReplyError('unreadable', 'The model answered with a file, which this API cannot carry.');
}

export function unfinishedStream(): ReplyError {
  return new ReplyError('incomplete', 'The stream ended before the model had finished.');
}

/**
 * Many servers end a reply that calls tools with `stop`, and clients then run none; after a reply without calls that claims to have some,
 * clients would wait for one. So the calls decide.
 */
export function unifiedFinish({ unified, raw }: FinishReason, hasCalls: boolean): FinishReason['unified'] {
  if (unified === 'length' || unified === 'content-filter') return unified;
  if (raw === 'content_filter' || raw === 'refusal') return 'content-filter';
  if (raw === 'model_context_window_exceeded') return 'length';
  if (hasCalls) return 'tool-calls';
  return unified === 'tool-calls' ? 'stop' : unified;
}

/**
 * Reasons to finish that say that the provider, or the model's call of a tool, failed: OpenRouter, Mistral, Cohere; vLLM; Zhipu; DeepSeek;
 * Google, whose address for OpenAI's clients puts a word before them; Amazon Bedrock.
 */
const FAILURES =
  /^(?:function_call_filter: ?)?(?:error(?:_[a-z_]*)?|abort(?:ed)?|network_error|insufficient_system_resource|malformed_(?:function_call|response|model_output|tool_use)|unexpected_tool_call|too_many_tool_calls|missing_thought_signature)$/i;

/** Whether a provider's reason to finish, in whatever API's word, means that there is no reply. */
export function isFailure(reason: unknown): boolean {
  return typeof reason === 'string' && FAILURES.test(reason);
}

/** Tokens of a reply as the rest of Plimsoll counts them; undefined unless the provider sent both input and output. */
export function readUsage({ inputTokens, outputTokens, raw }: SdkUsage): TokenCounts | undefined {
  const input = tokenCount(inputTokens.total);
  const output = tokenCount(outputTokens.total);
  if (input === undefined || output === undefined) return undefined;
  const cacheRead = tokenCount(inputTokens.cacheRead);
  const cacheWrite = tokenCount(inputTokens.cacheWrite);
  const written1h = writtenForAnHour(raw);
  return {
    inputTokens: input,
    outputTokens: output,
    ...(cacheRead !== undefined && { cachedInputTokens: cacheRead }),
    ...(cacheWrite !== undefined && { cacheWriteInputTokens: cacheWrite }),
    ...(written1h && { cacheWrite1hInputTokens: written1h }),
  };
}

/** The SDK leaves how long a cache is kept in the provider's own words: Anthropic's `cache_creation`, Bedrock's `cacheDetails`. */
function writtenForAnHour(raw: SdkUsage['raw']): number | undefined {
  const ofAnthropic = countIn(objectIn(raw, 'cache_creation'), 'ephemeral_1h_input_tokens');
  if (ofAnthropic !== undefined) return ofAnthropic;
  const ofBedrock = objectsIn(raw, 'cacheDetails').filter(({ ttl }) => ttl === '1h');
  return ofBedrock.reduce((sum, one) => sum + (countIn(one, 'inputTokens') ?? 0), 0);
}

export function tokenCount(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined;
}
