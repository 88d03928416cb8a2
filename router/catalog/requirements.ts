import { isObject } from '../json/index.ts';
import type { Mutable } from '../types.ts';
import { estimateTokens, jsonTokens } from './token-estimate.ts';
import type { Capability, CatalogModel, Dialect } from './types.ts';

/** What a request needs of a model. */
export interface Requirements {
  /** Tools are offered, or were called before in the conversation. */
  readonly tools: boolean;
  /** Pictures, or files such as PDF, whose pages are looked at. */
  readonly images: boolean;
  /** Sound comes in, or is wanted out. */
  readonly audio: boolean;
  /** The reply must follow a JSON schema; JSON of any form, without one, does not count. */
  readonly structuredOutput: boolean;
  /** An estimate (token-estimate.ts) of messages, system prompt, tools and schema. */
  readonly inputTokens: number;
  /** What the client allows for the reply; undefined if it sets no limit. */
  readonly maxOutputTokens?: number;
}

/** Around each message, and once before the reply: OpenAI's guide on counting tokens says 3 and 3, and a role. */
const TOKENS_OF_MESSAGE = 4;

type Body = Readonly<Record<string, unknown>>;

/**
 * What a body of `/chat/completions` (openai), `/messages` (anthropic) or `/responses` (responses) needs of a model. Skips what is not of the expected form:
 * the body is validated elsewhere. Time and memory grow with the size of the body.
 */
export function requirementsOf(body: Body, dialect: Dialect): Requirements {
  const load: ContentLoad = { tokens: 0, tools: false, images: false, audio: false };
  for (const message of listOf(body['messages'])) addMessage(load, message);
  if (dialect === 'anthropic') addContent(load, body['system']);
  if (dialect === 'responses') addInput(load, body);
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

/** What of a request a model cannot meet. */
type UnmetRequirement = 'tools' | 'images' | 'audio' | 'structured-output' | 'context-window';

const UNMET: readonly (readonly [
  UnmetRequirement,
  (model: CatalogModel, requirements: Requirements) => boolean,
])[] = [
  ['tools', (model, { tools }) => tools && cannot(model, 'tools')],
  ['images', (model, { images }) => images && cannot(model, 'images')],
  ['audio', (model, { audio }) => audio && cannot(model, 'audio')],
  [
    'structured-output',
    (model, { structuredOutput }) => structuredOutput && cannot(model, 'structured-output'),
  ],
  [
    'context-window',
    (
      { contextWindow, maxOutputTokens: longest = Number.POSITIVE_INFINITY },
      { inputTokens, maxOutputTokens = 0 },
    ) => contextWindow !== undefined && inputTokens + Math.min(maxOutputTokens, longest) > contextWindow,
  ],
];

const NONE: readonly UnmetRequirement[] = [];

/**
 * What a model lacks for a request, in a fixed order: capabilities, then the context window, which must hold the estimated input and the
 * reply together, as long as the client allows and the model can make it. What the catalog does not know excludes nothing; the provider's refusal is
 * then the response.
 */
export function unmetRequirements(
  model: CatalogModel,
  requirements: Requirements,
): readonly UnmetRequirement[] {
  if (UNMET.every(([, isUnmet]) => !isUnmet(model, requirements))) return NONE; // nearly always: nothing is allocated
  return UNMET.filter(([, isUnmet]) => isUnmet(model, requirements)).map(([requirement]) => requirement);
}

function cannot({ capabilities }: CatalogModel, capability: Capability): boolean {
  return capabilities !== undefined && !capabilities.has(capability);
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

/** Instructions and input of the Responses API. Its calls and their results are items beside the messages. */
function addInput(load: ContentLoad, { instructions, input }: Body): void {
  addContent(load, instructions);
  if (typeof input === 'string') addMessage(load, { content: input });
  for (const item of listOf(input)) {
    if (!isObject(item)) continue;
    if (item['role'] !== undefined) addMessage(load, item);
    else addItem(load, item);
  }
}

/** What only its own provider can read, such as encrypted reasoning, counts as text: it may go back there. */
function addItem(load: ContentLoad, item: Body): void {
  const { type, output, ...rest } = item;
  load.tokens += TOKENS_OF_MESSAGE;
  addContent(load, output);
  if (type === 'reasoning' || type === 'item_reference') {
    load.tokens += jsonTokens(rest['summary']);
    return;
  }
  load.tools = true;
  load.tokens += jsonTokens([rest['name'], rest['arguments'] ?? rest['input']]);
}

/** Tools that are offered, or calls of them. */
function addTools(load: ContentLoad, tools: readonly unknown[]): void {
  for (const tool of tools) {
    load.tools = true;
    load.tokens += jsonTokens(tool);
  }
}

/** The format of the reply if it is a JSON schema. */
function outputSchema(body: Body, dialect: Dialect): unknown {
  const format = FORMATS[dialect](body);
  if (!isObject(format)) return undefined;
  return format['type'] === 'json_schema' || isObject(format['schema']) ? format : undefined;
}

const FORMATS: Readonly<Record<Dialect, (body: Body) => unknown>> = {
  openai: (body) => body['response_format'],
  anthropic: anthropicFormat,
  responses: ({ text }) => (isObject(text) ? text['format'] : undefined),
};

/** In output_config.format, in earlier versions in output_format. */
function anthropicFormat(body: Body): unknown {
  const config = body['output_config'];
  return isObject(config) && config['format'] ? config['format'] : body['output_format'];
}

/** The first that is there counts. */
const LIMITS: Readonly<Record<Dialect, readonly string[]>> = {
  openai: ['max_completion_tokens', 'max_tokens'],
  anthropic: ['max_tokens'],
  responses: ['max_output_tokens'],
};

function limitOf(body: Body, dialect: Dialect): number | undefined {
  const limit = LIMITS[dialect].map((field) => body[field]).find((value) => value != null);
  return typeof limit === 'number' && Number.isInteger(limit) && limit > 0 ? limit : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What a conversation needs of a model, added up message by message. */
interface ContentLoad {
  tokens: number;
  tools: boolean;
  images: boolean;
  audio: boolean;
}

/**
 * Tokens of one picture, for any model: a middle value, not the largest. It depends on the model more than on the request: `detail: low` is 85 tokens for GPT-4o alone, and a photograph of 12 megapixels was measured at 1,065 (Gemini), 1,661
 * (Claude Haiku 4.5), 4,005 (Claude Opus 5.5) and 14,364 (GPT-6): https://huggingface.co/datasets/JOHNISKING/image-token-cost
 */
const TOKENS_OF_IMAGE = 1_600;
/** Tokens of a file whose pages cannot be counted, such as a PDF: a page is up to 3,000 tokens and about 50 kB (Anthropic's guide on PDF). */
const TOKENS_OF_PAGE = 3_000;
const BYTES_OF_PAGE = 50_000;
/** Gemini counts 32 tokens a second. Compressed speech has about 8 kB a second, WAV of 16 bits 32 kB and more. */
const AUDIO_TOKENS_A_SECOND = 32;
const BYTES_A_SECOND = { wav: 32_000, compressed: 8_000 } as const;
/** Content within content ends here: a tool result holds blocks, and these hold none. */
const DEEPEST_CONTENT = 4;

/**
 * Adds a message's content: a text, or a list of parts (OpenAI) or blocks (Anthropic). Data of pictures and sounds do not count as text.
 * A part of an unknown type counts by its JSON.
 */
function addContent(load: ContentLoad, content: unknown, depth = 0): void {
  if (typeof content === 'string') load.tokens += estimateTokens(content);
  else if (Array.isArray(content) && depth < DEEPEST_CONTENT) {
    for (const part of content) addPart(load, part, depth);
  } else if (content !== null && content !== undefined) load.tokens += jsonTokens(content);
}

const TEXT_PARTS: ReadonlySet<unknown> = new Set(['text', 'input_text', 'output_text']);

function addPart(load: ContentLoad, part: unknown, depth: number): void {
  if (!isObject(part)) addContent(load, part, DEEPEST_CONTENT);
  else if (TEXT_PARTS.has(part['type'])) addContent(load, part['text'], DEEPEST_CONTENT);
  else if (part['type'] === 'tool_result') {
    load.tools = true;
    addContent(load, part['content'], depth + 1);
  } else if (part['type'] === 'document') addDocument(load, part['source'], depth);
  else load.tokens += markedTokens(load, part);
}

/** Tokens of a part that holds no other content. Notes in the load what the part asks for. */
function markedTokens(load: ContentLoad, part: Readonly<Record<string, unknown>>): number {
  switch (part['type']) {
    case 'image_url':
    case 'image':
    case 'input_image':
      load.images = true;
      return TOKENS_OF_IMAGE;
    case 'input_audio':
      load.audio = true;
      return audioTokens(part['input_audio']);
    case 'file':
      load.images = true;
      return fileTokens(part['file']);
    case 'input_file':
      load.images = true;
      return fileTokens(part);
    case 'tool_use':
      load.tools = true;
      return jsonTokens([part['name'], part['input']]);
    default:
      return jsonTokens(part);
  }
}

/** Anthropic: a text, blocks, or the bytes or the address of a PDF, whose pages are looked at as pictures. */
function addDocument(load: ContentLoad, source: unknown, depth: number): void {
  if (!isObject(source)) return;
  if (source['type'] === 'text') addContent(load, source['data'], DEEPEST_CONTENT);
  else if (source['type'] === 'content') addContent(load, source['content'], depth + 1);
  else {
    load.images = true;
    load.tokens += pagesTokens(source['data']);
  }
}

/** OpenAI: a PDF as a data URL, or the id of one that was sent before. */
function fileTokens(file: unknown): number {
  return pagesTokens(isObject(file) ? file['file_data'] : undefined);
}

function pagesTokens(base64: unknown): number {
  return Math.max(1, Math.ceil(bytesOf(base64) / BYTES_OF_PAGE)) * TOKENS_OF_PAGE;
}

function audioTokens(audio: unknown): number {
  if (!isObject(audio)) return 0;
  const rate = audio['format'] === 'wav' ? BYTES_A_SECOND.wav : BYTES_A_SECOND.compressed;
  return Math.ceil((bytesOf(audio['data']) / rate) * AUDIO_TOKENS_A_SECOND);
}

function bytesOf(base64: unknown): number {
  return typeof base64 === 'string' ? (base64.length * 3) / 4 : 0;
}
