import type { CatalogModel } from '../catalog/index.ts';
import { isObject } from '../json/index.ts';
import type { Path } from './field-roles.ts';
import { unmappable } from './losses.ts';
import type { ModelRequest } from './target.ts';

/** What an API takes of pictures in one request; what is not known excludes nothing. */
interface PictureLimits {
  readonly most: number;
  /** Bytes of one picture, decoded. */
  readonly mostBytes: number;
}

const MIB = 1024 * 1024;
/** Claude models with a longer context window take more pictures. */
const SHORT_CONTEXT_TOKENS = 200_000;

/**
 * Anthropic's guide on vision (100, from a longer context window on 600; 5 MB each), OpenAI's on images (500), Google's on images (3,600),
 * Mistral's on vision (8 of 10 MB). Amazon Bedrock has none of its own, and asks for those of Claude.
 */
function pictureLimits({ provider, id, contextWindow }: CatalogModel): PictureLimits | undefined {
  switch (provider.kind) {
    case 'anthropic':
      return claudeLimits(contextWindow);
    case 'bedrock':
      return id.includes('anthropic') ? claudeLimits(contextWindow) : undefined;
    case 'openai':
      return { most: 500, mostBytes: Number.POSITIVE_INFINITY };
    case 'google':
      return { most: 3_600, mostBytes: Number.POSITIVE_INFINITY };
    case 'mistral':
      return { most: 8, mostBytes: 10 * MIB };
    default:
      return undefined;
  }
}

function claudeLimits(contextWindow: number | undefined): PictureLimits {
  const isShort = contextWindow !== undefined && contextWindow <= SHORT_CONTEXT_TOKENS;
  return { most: isShort ? 100 : 600, mostBytes: 5 * MIB };
}

/**
 * Checks the pictures of a request, in the client's form.
 * @throws PlimsollError `invalid-input` that names the first picture that is too large or too many for the model's API
 */
export function requirePictureLimits({ model, body }: Pick<ModelRequest, 'model' | 'body'>): void {
  const limits = pictureLimits(model);
  if (limits === undefined) return;
  let count = 0;
  for (const { path, base64 } of picturesIn(body)) {
    count += 1;
    if (count > limits.most) {
      throw unmappable(path, `at most ${limits.most} pictures are taken by the chosen model's provider`);
    }
    if (decodedBytes(base64) > limits.mostBytes) {
      const mebibytes = limits.mostBytes / MIB;
      throw unmappable(path, `pictures have at most ${mebibytes} MiB at the chosen model's provider`);
    }
  }
}

/** Whether the pictures of a request are within the known limits of a model's API. */
export function takesPictures(request: Pick<ModelRequest, 'model' | 'body'>): boolean {
  try {
    requirePictureLimits(request);
    return true;
  } catch {
    return false;
  }
}

interface Picture {
  readonly path: Path;
  /** Undefined for an address. */
  readonly base64: string | undefined;
}

/** The pictures of messages in OpenAI's or Anthropic's form, those in tool results included, and of the items of a response. */
function* picturesIn(body: ModelRequest['body']): Generator<Picture> {
  for (const field of ['messages', 'input']) {
    const messages = body[field];
    if (!Array.isArray(messages)) continue;
    for (const [at, message] of messages.entries()) {
      if (!isObject(message)) continue;
      yield* picturesOf(message['content'], [field, at, 'content'], true);
      yield* picturesOf(message['output'], [field, at, 'output'], false);
    }
  }
}

function* picturesOf(parts: unknown, path: Path, hasResults: boolean): Generator<Picture> {
  if (!Array.isArray(parts)) return;
  for (const [at, part] of parts.entries()) {
    if (!isObject(part)) continue;
    const { type } = part;
    if (type === 'image') yield { path: [...path, at], base64: sourceData(part['source']) };
    else if (type === 'image_url' || type === 'input_image') {
      yield { path: [...path, at], base64: dataUrl(part['image_url']) };
    } else if (type === 'tool_result' && hasResults) {
      yield* picturesOf(part['content'], [...path, at, 'content'], false);
    }
  }
}

function sourceData(source: unknown): string | undefined {
  const data = isObject(source) ? source['data'] : undefined;
  return typeof data === 'string' ? data : undefined;
}

/** `image_url` is an object in chat completions, and a text in the Responses API. */
function dataUrl(image: unknown): string | undefined {
  const url = isObject(image) ? image['url'] : image;
  return typeof url === 'string' && url.startsWith('data:') ? url.slice(url.indexOf(',') + 1) : undefined;
}

/** Three bytes are four characters. */
function decodedBytes(base64 = ''): number {
  return Math.floor((base64.length * 3) / 4);
}
