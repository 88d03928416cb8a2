import type { EmbeddingModel, LanguageModel } from 'ai';
import type { CatalogModel, Dialect, ProviderKind } from '../catalog/index.ts';
import { claudeTakes, googleTakes, type TakesKeyword } from './json-schema.ts';

/** The AI SDK's model interface, version 3 of its specification (https://ai-sdk.dev/providers): what every provider implements. */
export type SdkModel = Extract<LanguageModel, { specificationVersion: 'v3' }>;

export type CallOptions = Parameters<SdkModel['doGenerate']>[0];
export type GenerateResult = Awaited<ReturnType<SdkModel['doGenerate']>>;
type StreamResult = Awaited<ReturnType<SdkModel['doStream']>>;
export type StreamPart = StreamResult['stream'] extends ReadableStream<infer Part> ? Part : never;

export type PromptMessage = CallOptions['prompt'][number];
export type UserPart = Extract<PromptMessage, { role: 'user' }>['content'][number];
export type FilePart = Extract<UserPart, { type: 'file' }>;
export type AssistantPart = Extract<PromptMessage, { role: 'assistant' }>['content'][number];
type ToolPart = Extract<PromptMessage, { role: 'tool' }>['content'][number];
export type ToolResultPart = Extract<ToolPart, { type: 'tool-result' }>;
export type ToolOutput = ToolResultPart['output'];
export type ProviderOptions = NonNullable<CallOptions['providerOptions']>;

export type SdkTool = NonNullable<CallOptions['tools']>[number];
export type FunctionTool = Extract<SdkTool, { type: 'function' }>;
export type ToolChoice = NonNullable<CallOptions['toolChoice']>;
export type ResponseFormat = NonNullable<CallOptions['responseFormat']>;

export type Content = GenerateResult['content'][number];
export type SdkUsage = GenerateResult['usage'];
export type FinishReason = GenerateResult['finishReason'];
export type SdkWarning = GenerateResult['warnings'][number];

/** The SDK's embedding models, of the same version. */
export type SdkEmbeddingModel = Extract<EmbeddingModel, { specificationVersion: 'v3' }>;
export type EmbedResult = Awaited<ReturnType<SdkEmbeddingModel['doEmbed']>>;

/** Merges options for one call; those of the same provider are combined. */
export function mergeProviderOptions(
  all: readonly (ProviderOptions | undefined)[],
): ProviderOptions | undefined {
  const merged: ProviderOptions = {};
  for (const [provider, options] of all.flatMap((one) => Object.entries(one ?? {}))) {
    merged[provider] = { ...merged[provider], ...options };
  }
  return Object.keys(merged).length > 0 ? merged : undefined;
}

/** Fields that may be absent but not undefined, as `exactOptionalPropertyTypes` requires. */
type WithoutUndefined<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

/** Drops the fields that are undefined. */
export function withoutUndefined<T extends object>(fields: T): WithoutUndefined<T> {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as WithoutUndefined<T>;
}

/** A client's request and the model that it is mapped for. */
export interface ModelRequest {
  readonly model: CatalogModel;
  /** The client's dialect, in which the body is written. */
  readonly dialect: Dialect;
  /** The client's body, parsed; unknown fields included. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The reply of the Responses API is kept here. Default false. */
  readonly stored?: boolean | undefined;
}

/** Anthropic's mark that the provider may cache the prompt up to here. */
export interface CacheControl {
  readonly type: 'ephemeral';
  readonly ttl?: '5m' | '1h' | undefined;
}

/** OpenAI's `image_url.detail`, without `auto`, which means the same as none. */
export type PictureDetail = 'low' | 'high';

/**
 * What the API behind a model can carry, beyond what the AI SDK itself warns about. The SDK silently ignores some fields; each of those is
 * listed here, so that its loss is known before anything is sent.
 */
export interface Target {
  readonly model: CatalogModel;
  /** Options with the end user's id; undefined if the API has no field for it. */
  readonly user: ((id: string) => ProviderOptions) | undefined;
  /** Options that allow at most one tool call per reply. */
  readonly oneToolCall: ProviderOptions | undefined;
  /** Options that make a JSON schema strict or not; undefined if the provider decides. */
  readonly strictSchema: ((strict: boolean) => ProviderOptions) | undefined;
  /** Keywords of a reply's JSON Schema that it takes; undefined if it says nothing about them. */
  readonly takesKeyword: TakesKeyword | undefined;
  /** Refuses the schemas of strict tools that have other keywords. */
  readonly strictToolKeywords: boolean;
  /** Has a mode for JSON without a schema; otherwise the model is instructed. */
  readonly jsonMode: boolean;
  /** Options with a cache mark, for messages and, with `cacheOnTools`, for tools. */
  readonly cache: ((mark: CacheControl) => ProviderOptions) | undefined;
  readonly cacheOnTools: boolean;
  /** Marks a failed tool call as such; otherwise its text says so. */
  readonly marksToolErrors: boolean;
  /** Accepts images in tool results; otherwise they follow in a user message. */
  readonly imagesInToolResults: boolean;
  /** Accepts any name for a file. */
  readonly fileNames: boolean;
  /** Options for how closely all pictures of a request are looked at; undefined if the API, or the model, has none. */
  readonly pictureDetail: ((detail: PictureDetail) => ProviderOptions) | undefined;
  /** Accepts audio in user messages. */
  readonly audio: boolean;
  /** Continues an assistant message that comes last. */
  readonly continuesReplies: boolean;
  /** The first turn must be the user's. */
  readonly beginsWithUser: boolean;
  /** Keeps several system texts apart; otherwise an empty line joins them, because some chat templates accept only one. */
  readonly separateSystemTexts: boolean;
  /**
   * Accepts system messages between other messages; otherwise they become user text in the same place. Many chat templates behind
   * compatible servers reject them.
   */
  readonly systemAnywhere: boolean;
  /** Accepts texts that are only white space. */
  readonly blankTexts: boolean;
  /** How many replies one request may ask for. */
  readonly maxReplies: number;
  /** Names of tools that it accepts; others are sent under another name (tools.ts). */
  readonly toolName: RegExp;
  /** How many tools a request may offer. */
  readonly maxTools: number;
  /** How many stop sequences a request may have. */
  readonly maxStops: number;
  /** Accepts stop sequences that are only white space. */
  readonly blankStops: boolean;
  /** Must be told the very media type of a file that it fetches. */
  readonly wantsMediaTypes: boolean;
  /** Fetches a file of this media type from this URL itself. Plimsoll never does: an address in a request could be inside the operator's network. */
  readonly fetches: (url: URL, mediaType: string) => boolean;
}

type KindFeatures = Omit<Target, 'model' | 'fetches'> & { readonly fetchesImages: boolean };

const BASIC = {
  user: undefined,
  oneToolCall: undefined,
  strictSchema: undefined,
  takesKeyword: undefined,
  strictToolKeywords: false,
  jsonMode: true,
  cache: undefined,
  cacheOnTools: false,
  marksToolErrors: false,
  imagesInToolResults: false,
  fileNames: true,
  pictureDetail: undefined,
  audio: false,
  continuesReplies: false,
  beginsWithUser: false,
  separateSystemTexts: false,
  systemAnywhere: false,
  blankTexts: true,
  maxReplies: 1,
  toolName: /^[\w-]{1,64}$/,
  maxTools: Number.POSITIVE_INFINITY,
  maxStops: Number.POSITIVE_INFINITY,
  blankStops: true,
  wantsMediaTypes: false,
  fetchesImages: false,
} as const;

const KINDS: Readonly<Record<ProviderKind, KindFeatures>> = {
  openai: {
    ...BASIC,
    user: (user) => ({ openai: { user } }),
    oneToolCall: { openai: { parallelToolCalls: false } },
    strictSchema: (strictJsonSchema) => ({ openai: { strictJsonSchema } }),
    audio: true,
    systemAnywhere: true,
    // API reference of chat completions: `tools` and `stop`.
    maxTools: 128,
    maxStops: 4,
    fetchesImages: true,
  },
  'openai-compatible': {
    ...BASIC,
    user: (user) => ({ openaiCompatible: { user } }),
    // The SDK copies options that it does not know, under the provider's own name, into the body.
    oneToolCall: { upstream: { parallel_tool_calls: false } },
    strictSchema: (strictJsonSchema) => ({ openaiCompatible: { strictJsonSchema } }),
    audio: true,
    fetchesImages: true,
  },
  people: { ...BASIC }, // they get the request as it came
  anthropic: {
    ...BASIC,
    beginsWithUser: true,
    user: (userId) => ({ anthropic: { metadata: { userId } } }),
    oneToolCall: { anthropic: { disableParallelToolUse: true } },
    takesKeyword: claudeTakes,
    strictToolKeywords: true,
    jsonMode: false,
    cache: ({ type, ttl }) => ({ anthropic: { cacheControl: { type, ...(ttl && { ttl }) } } }),
    cacheOnTools: true,
    marksToolErrors: true,
    imagesInToolResults: true,
    continuesReplies: true,
    separateSystemTexts: true,
    blankTexts: false,
    toolName: /^[\w-]{1,128}$/,
    blankStops: false,
    fetchesImages: true,
  },
  google: {
    ...BASIC,
    beginsWithUser: true,
    takesKeyword: googleTakes,
    wantsMediaTypes: true,
    imagesInToolResults: true,
    audio: true,
    separateSystemTexts: true,
    maxReplies: 8,
    // Gemini API reference: FunctionDeclaration.name and GenerationConfig.stopSequences.
    toolName: /^[A-Za-z_][\w.:-]{0,63}$/,
    maxStops: 5,
  },
  mistral: {
    ...BASIC,
    oneToolCall: { mistral: { parallelToolCalls: false } },
    strictSchema: (strictJsonSchema) => ({ mistral: { strictJsonSchema } }),
    continuesReplies: true,
    fetchesImages: true,
  },
  bedrock: {
    ...BASIC,
    beginsWithUser: true,
    fileNames: false,
    jsonMode: false,
    cache: ({ ttl }) => ({ bedrock: { cachePoint: { type: 'default', ...(ttl && { ttl }) } } }),
    imagesInToolResults: true,
    continuesReplies: true,
    separateSystemTexts: true,
    blankTexts: false,
  },
};

/** URLs that a model fetches itself, by media type: `supportedUrls` of the AI SDK's models. */
export type SupportedUrls = Readonly<Record<string, readonly RegExp[]>>;

/** What the API of a kind of provider can carry, whatever the model. */
export function targetFeatures(kind: ProviderKind): Pick<Target, 'blankTexts'> {
  return KINDS[kind];
}

/** Whether a text says something to the target: clients send empty texts back, which providers reject, and some of them blank ones. */
export function acceptsText(text: string, { blankTexts }: Pick<Target, 'blankTexts'>): boolean {
  return blankTexts ? text !== '' : text.trim() !== '';
}

/** Gemini API reference, MediaResolution. Older models refuse it. */
const MEDIA_RESOLUTION = /gemini-(?:2\.5|[3-9])/;

function mediaResolution(detail: PictureDetail): ProviderOptions {
  return { google: { mediaResolution: `MEDIA_RESOLUTION_${detail.toUpperCase()}` } };
}

/** @param urls - that this model fetches itself, beyond those of its kind of provider */
export function createTarget(model: CatalogModel, urls: SupportedUrls = {}): Target {
  const { kind } = model.provider;
  const { fetchesImages, ...features } = KINDS[kind];
  // They refuse more than one candidate: https://github.com/googleapis/js-genai/issues/1609.
  const gemini3 = kind === 'google' && model.id.includes('gemini-3');
  const claudeOnBedrock = kind === 'bedrock' && model.id.includes('anthropic');
  return {
    model,
    ...features,
    ...(gemini3 && { maxReplies: 1 }),
    // Older ones take pictures beside the results alone, and the SDK leaves the result out.
    ...(kind === 'google' && !gemini3 && { imagesInToolResults: false }),
    ...(kind === 'google' && MEDIA_RESOLUTION.test(model.id) && { pictureDetail: mediaResolution }),
    ...(claudeOnBedrock && {
      oneToolCall: KINDS.anthropic.oneToolCall,
      blankStops: false,
      takesKeyword: claudeTakes,
      strictToolKeywords: true,
    }),
    fetches: ({ protocol, href }, mediaType) =>
      (fetchesImages && mediaType.startsWith('image/') && /^https?:$/.test(protocol)) ||
      Object.entries(urls).some(
        ([type, patterns]) => matchesType(type, mediaType) && patterns.some((pattern) => pattern.test(href)),
      ),
  };
}

/** @param pattern - `image/*`, `*` or a whole media type */
function matchesType(pattern: string, mediaType: string): boolean {
  const [kind, subtype] = pattern.split('/');
  if (kind === '*' || pattern === mediaType) return true;
  return mediaType.startsWith(`${kind}/`) && (subtype === '*' || mediaType.endsWith('/*'));
}
