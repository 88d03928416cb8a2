import { isObject } from '../json/index.ts';
import type { Mutable } from '../types.ts';
import { addContent, type ContentLoad } from './content-load.ts';
import { jsonTokens } from './json-tokens.ts';
import type { Dialect } from './types.ts';

/** What a request asks of whichever model answers it. */
export interface Requirements {
  /** Tools are offered, or were called before in the conversation. */
  readonly tools: boolean;
  /** Pictures, or files such as PDF, whose pages are looked at. */
  readonly images: boolean;
  /** Sound comes in, or is wanted out. */
  readonly audio: boolean;
  /** The answer must follow a JSON schema. JSON of any form, without one, is not meant. */
  readonly structuredOutput: boolean;
  /** An estimate (token-estimate.ts) of messages, system prompt, tools and schema. */
  readonly inputTokens: number;
  /** What the client allows for the answer; undefined where it says nothing. */
  readonly maxOutputTokens?: number;
}

/** Around each message, and once before the answer: OpenAI's guide on counting tokens says 3 and 3, and a role. */
const TOKENS_OF_MESSAGE = 4;

type Body = Readonly<Record<string, unknown>>;

/**
 * What a body of `/chat/completions` (openai) or `/messages` (anthropic) asks of a model. Reads what it knows and skips what is not of
 * the expected form: whether the body is right at all is said elsewhere. Time and memory grow with the size of the body.
 */
export function requirementsOf(body: Body, dialect: Dialect): Requirements {
  const load: ContentLoad = { tokens: 0, tools: false, images: false, audio: false };
  for (const message of listOf(body['messages'])) addMessage(load, message);
  if (dialect === 'anthropic') addContent(load, body['system']);
  addTools(load, listOf(body['tools']));
  addTools(load, listOf(body['functions']));
  const schema = outputSchema(body, dialect);
  const requirements: Mutable<Requirements> = {
    tools: load.tools,
    images: load.images,
    audio: load.audio || listOf(body['modalities']).includes('audio'),
    structuredOutput: schema !== undefined,
    inputTokens: load.tokens + (schema === undefined ? 0 : jsonTokens(schema)),
  };
  const maxOutputTokens = limitOf(body, dialect);
  if (maxOutputTokens !== undefined) requirements.maxOutputTokens = maxOutputTokens;
  return requirements;
}

function addMessage(load: ContentLoad, message: unknown): void {
  if (!isObject(message)) return;
  load.tokens += TOKENS_OF_MESSAGE;
  addContent(load, message['content']);
  addTools(load, listOf(message['tool_calls']));
  if (isObject(message['function_call'])) addTools(load, [message['function_call']]);
  const role = message['role'];
  if (role === 'tool' || role === 'function') load.tools = true;
}

/** Tools that are offered, or calls of them. */
function addTools(load: ContentLoad, tools: readonly unknown[]): void {
  for (const tool of tools) {
    load.tools = true;
    load.tokens += jsonTokens(tool);
  }
}

/** The format of the answer where it is a JSON schema. */
function outputSchema(body: Body, dialect: Dialect): unknown {
  const format = dialect === 'openai' ? body['response_format'] : anthropicFormat(body);
  if (!isObject(format)) return undefined;
  return format['type'] === 'json_schema' || isObject(format['schema']) ? format : undefined;
}

/** In output_config.format, in earlier versions in output_format. */
function anthropicFormat(body: Body): unknown {
  const config = body['output_config'];
  return isObject(config) && config['format'] ? config['format'] : body['output_format'];
}

function limitOf(body: Body, dialect: Dialect): number | undefined {
  const limit = (dialect === 'openai' ? body['max_completion_tokens'] : undefined) ?? body['max_tokens'];
  return typeof limit === 'number' && Number.isInteger(limit) && limit > 0 ? limit : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
