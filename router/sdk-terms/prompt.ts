import { z } from 'zod';
import {
  type AssistantPart,
  acceptsText,
  type CacheControl,
  type FilePart,
  type Losses,
  mappedIds,
  NO_COUNTERPART,
  type Path,
  type PromptMessage,
  type ProviderOptions,
  type Target,
  ToolCallIds,
  type ToolOutput,
  type ToolResultPart,
  type UserPart,
  unmappable,
} from '../targets/index.ts';

/** What a result must know about its call. */
interface NamedCall {
  readonly name: string;
  readonly path: Path;
}

/** Builds a conversation in the SDK's words, in a form that the target's provider accepts. */
export class Prompt {
  readonly #target: Target;
  readonly #calls: ToolCallIds<NamedCall>;
  readonly #messages: PromptMessage[] = [];

  constructor(target: Target) {
    this.#target = target;
    this.#calls = new ToolCallIds(mappedIds(target.model));
  }

  add(...messages: readonly PromptMessage[]): void {
    this.#messages.push(...messages);
  }

  /** Clients send empty texts and empty lists back, which some providers reject: they are left out. */
  addUser(parts: readonly UserPart[]): void {
    const content = parts.filter((part) => part.type !== 'text' || this.#accepts(part.text));
    if (content.length > 0) this.#messages.push({ role: 'user', content });
  }

  addAssistant(parts: readonly AssistantPart[]): void {
    const content = parts.filter((part) => part.type !== 'text' || this.#accepts(part.text));
    const last = this.#messages.at(-1);
    const calling = last?.role === 'assistant' && last.content.some(({ type }) => type === 'tool-call');
    // Some clients put each call of a turn into a message of its own.
    if (calling) last.content.push(...content);
    else if (content.length > 0) this.#messages.push({ role: 'assistant', content });
  }

  /** To be called when a turn of the assistant begins. @throws PlimsollError that names a call without a result */
  beginTurn(): void {
    if (this.#messages.at(-1)?.role !== 'assistant') this.#requireResults();
  }

  toolCall({
    id,
    name,
    input,
    path,
  }: {
    readonly id: string;
    readonly name: string;
    readonly input: unknown;
    readonly path: Path;
  }): AssistantPart {
    return { type: 'tool-call', toolCallId: this.#calls.record(id, { name, path }), toolName: name, input };
  }

  /** The call that a result belongs to. @throws PlimsollError that names the field, if there is none */
  resolveCall(id: string, path: Path): Pick<ToolResultPart, 'toolCallId' | 'toolName'> {
    const found = this.#calls.resolve(id);
    if (found === undefined) {
      throw unmappable(
        path,
        'no message of the assistant before it has a tool call with this id that waits for a result',
      );
    }
    return { toolCallId: found.id, toolName: found.call.name };
  }

  addToolResult(result: Omit<ToolResultPart, 'type'>): void {
    this.#messages.push({ role: 'tool', content: [{ type: 'tool-result', ...result }] });
  }

  /** @throws PlimsollError `invalid-input` if the conversation is empty, or a tool call has no result */
  finish(): PromptMessage[] {
    this.#requireResults();
    if (this.#messages.every(({ role }) => role === 'system')) {
      throw unmappable(['messages'], 'must hold at least one message that is not empty');
    }
    return withResultsFirst(this.#messages);
  }

  /** @throws PlimsollError `invalid-input` that names the first call without a result: no provider accepts such a conversation */
  #requireResults(): void {
    const call = this.#calls.firstOpen();
    if (call === undefined) return;
    throw unmappable(
      call.path,
      'this tool call has no result; send one for each call, before the next turn of the assistant',
    );
  }

  #accepts(text: string): boolean {
    return acceptsText(text, this.#target);
  }
}

/**
 * Moves the results of a turn's tool calls directly behind that turn, and other user content behind all of them. Every API requires this;
 * Anthropic's clients may put results between other blocks.
 */
function withResultsFirst(prompt: readonly PromptMessage[]): PromptMessage[] {
  const ordered: PromptMessage[] = [];
  let resultsEnd = 0;
  for (const message of prompt) {
    if (message.role === 'assistant') {
      ordered.push(message);
      resultsEnd = ordered.length;
    } else if (message.role !== 'tool') ordered.push(message);
    else {
      const before = ordered[resultsEnd - 1];
      if (before?.role === 'tool') before.content.push(...message.content);
      else ordered.splice(resultsEnd++, 0, { ...message, content: [...message.content] });
    }
  }
  return ordered;
}

/** One text of a system prompt. */
export interface SystemText {
  readonly text: string;
  readonly providerOptions?: ProviderOptions | undefined;
}

/** A system prompt of several texts: one message each if the target keeps them apart, else one, joined by empty lines. */
export function systemMessages(texts: readonly SystemText[], target: Target): PromptMessage[] {
  const present = texts.filter(({ text }) => text.trim() !== '');
  if (!target.separateSystemTexts) {
    const content = present.map(({ text }) => text).join('\n\n');
    return present.length > 0 ? [{ role: 'system', content }] : [];
  }
  return present.map(({ text, providerOptions }) => ({
    role: 'system',
    content: text,
    ...(providerOptions && { providerOptions }),
  }));
}

/**
 * A system message between other messages, in its place: as such if the target accepts it, else as user text.
 * @throws PlimsollError if the rule is `refuse`, in the words that make Claude Code retry without such messages
 */
export function laterSystemMessages(
  texts: readonly string[],
  path: Path,
  target: Target,
  losses: Losses,
): PromptMessage[] {
  const present = texts.filter((text) => text.trim() !== '');
  if (present.length === 0) return [];
  const content = present.join('\n\n');
  if (target.systemAnywhere) return [{ role: 'system', content }];
  losses.approximate([...path, 'role'], "role 'system' is not supported here by the chosen model's provider");
  return [{ role: 'user', content: [{ type: 'text', text: `<system>\n${content}\n</system>` }] }];
}

/** Anthropic's cache mark, which clients of other APIs send too. */
export const cacheControlSchema = z
  .strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() })
  .nullish();

/** The cache mark of a part as the target's provider wants it; dropped if it has no counterpart. */
export function cacheOptions(
  { cache_control: mark }: { readonly cache_control?: CacheControl | null | undefined },
  path: Path,
  { cache }: Pick<Target, 'cache'>,
  losses: Losses,
): { providerOptions?: ProviderOptions } {
  if (!mark) return {};
  if (cache) return { providerOptions: cache(mark) };
  losses.drop([...path, 'cache_control'], NO_COUNTERPART);
  return {};
}

/** Replies come back with empty fields that mean nothing. */
export const emptyFieldSchema = z.union([z.null(), z.literal(''), z.tuple([])]).optional();

/** Clients of every API send texts of null back; a text of nothing is left out. */
export const nullableText = z
  .string()
  .nullable()
  .transform((text) => text ?? '');

/** What replies or libraries have beside the content, whatever it says. */
export const addedByClient = z.unknown().optional();

/** For models whose API has no mode for JSON without a schema. */
export const JSON_INSTRUCTION =
  'Reply with one JSON object and nothing else: no text before or after it, and no code fence around it.';

export const jsonSchemaSchema = z.record(z.string(), z.unknown());

/** @param mediaType such as image/png */
export function filePart(mediaType: string, base64: string): FilePart {
  return { type: 'file', mediaType, data: base64 };
}

/**
 * An image or a document at a URL, `data:` or http(s).
 * @param mediaType - such as `image/*` or `application/pdf`
 * @throws PlimsollError that names the field
 */
export function filePartAt(address: string, mediaType: string, target: Target, path: Path): FilePart {
  if (address.startsWith('data:')) return readDataUrl(address, mediaType, path);
  if (!URL.canParse(address)) throw unmappable(path, 'is not a URL');
  const url = new URL(address);
  const exact = target.wantsMediaTypes ? mediaTypeOf(url, mediaType) : mediaType;
  if (exact === undefined) {
    throw unmappable(
      path,
      "the chosen model's provider must be told what kind of picture this is, and the address does not say; send it as base64",
    );
  }
  if (!target.fetches(url, exact)) {
    throw unmappable(
      path,
      "the chosen model's provider does not fetch this address; send the file as base64",
    );
  }
  return { type: 'file', mediaType: exact, data: url };
}

/** The ends of addresses that say which picture is there. */
const PICTURE_TYPES: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  bmp: 'image/bmp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
};

/** Nothing is fetched to find out. @returns undefined if the address does not say */
function mediaTypeOf({ pathname }: URL, mediaType: string): string | undefined {
  if (!mediaType.endsWith('/*')) return mediaType;
  const end = /\.([a-z]+)$/i.exec(pathname)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(PICTURE_TYPES, end) ? PICTURE_TYPES[end] : undefined;
}

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+);base64,/;

function readDataUrl(dataUrl: string, mediaType: string, path: Path): FilePart {
  const [head, found] = DATA_URL.exec(dataUrl) ?? [];
  const wanted = mediaType.endsWith('/*') ? mediaType.slice(0, -1) : mediaType;
  if (head === undefined || !found?.startsWith(wanted) || head.length === dataUrl.length) {
    throw unmappable(path, `a data URL must be data:${mediaType.replace('*', '…')};base64,…`);
  }
  return filePart(found, dataUrl.slice(head.length));
}

interface ResultOutput {
  readonly output: ToolOutput;
  /** Files that must follow the result, because the target does not accept them inside. */
  readonly after: readonly FilePart[];
}

/** What a tool returned. @param failed - the tool says that it could not do its work */
export function resultOutput(parts: readonly UserPart[], failed: boolean, target: Target): ResultOutput {
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const files = parts.flatMap((part) => (part.type === 'file' ? [part] : []));
  const inside = files.length > 0 && target.imagesInToolResults && files.every(isImageData);
  return inside
    ? { output: contentOutput(parts, failed), after: [] }
    : { output: textOutput(texts.join('\n'), failed, target), after: files };
}

function isImageData({ mediaType, data }: FilePart): boolean {
  return mediaType.startsWith('image/') && typeof data === 'string';
}

/** If the target cannot mark a failure, the text says so for the model that reads it. */
function textOutput(text: string, failed: boolean, target: Target): ToolOutput {
  const value = text === '' && !target.blankTexts ? '(no output)' : text;
  if (!failed) return { type: 'text', value };
  return { type: 'error-text', value: target.marksToolErrors ? value : `Error: ${value}` };
}

function contentOutput(parts: readonly UserPart[], failed: boolean): ToolOutput {
  const value = parts.map((part) =>
    part.type === 'text'
      ? { type: 'text' as const, text: part.text }
      : { type: 'image-data' as const, mediaType: part.mediaType, data: part.data as string },
  );
  return { type: 'content', value: failed ? [{ type: 'text', text: 'Error:' }, ...value] : value };
}
