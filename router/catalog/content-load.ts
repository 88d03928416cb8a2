import { isObject } from '../json/index.ts';
import { jsonTokens } from './json-tokens.ts';
import { estimateTokens } from './token-estimate.ts';

/** What a conversation asks of a model, counted up message by message. */
export interface ContentLoad {
  tokens: number;
  tools: boolean;
  images: boolean;
  audio: boolean;
}

/**
 * Of one picture, whichever model looks at it: a middling one, not the most. What it counts as differs by the model more than by what
 * the request says: `detail: low` is 85 tokens for GPT-4o alone, and a photograph of 12 megapixels was measured at 1,065 (Gemini), 1,661
 * (Claude Haiku 4.5), 4,005 (Claude Opus 5.5) and 14,364 (GPT-6): https://huggingface.co/datasets/JOHNISKING/image-token-cost
 */
const TOKENS_OF_IMAGE = 1_600;
/** Of a file whose pages cannot be counted, such as a PDF: a page is up to 3,000 tokens and about 50 kB (Anthropic's guide on PDF). */
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
export function addContent(load: ContentLoad, content: unknown, depth = 0): void {
  if (typeof content === 'string') load.tokens += estimateTokens(content);
  else if (Array.isArray(content) && depth < DEEPEST_CONTENT) {
    for (const part of content) addPart(load, part, depth);
  } else if (content !== null && content !== undefined) load.tokens += jsonTokens(content);
}

function addPart(load: ContentLoad, part: unknown, depth: number): void {
  if (!isObject(part)) addContent(load, part, DEEPEST_CONTENT);
  else if (part['type'] === 'text') addContent(load, part['text'], DEEPEST_CONTENT);
  else if (part['type'] === 'tool_result') {
    load.tools = true;
    addContent(load, part['content'], depth + 1);
  } else if (part['type'] === 'document') addDocument(load, part['source'], depth);
  else load.tokens += markedTokens(load, part);
}

/** Of a part that holds no other content. Notes in the load what the part asks for. */
function markedTokens(load: ContentLoad, part: Readonly<Record<string, unknown>>): number {
  switch (part['type']) {
    case 'image_url':
    case 'image':
      load.images = true;
      return TOKENS_OF_IMAGE;
    case 'input_audio':
      load.audio = true;
      return audioTokens(part['input_audio']);
    case 'file':
      load.images = true;
      return fileTokens(part['file']);
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
