import type { CatalogModel, Dialect, ProviderKind } from '../catalog/index.ts';
import type { ProviderOptions } from './sdk-types.ts';

/** A client's request and the model that it is mapped for. */
export interface ModelRequest {
  readonly model: CatalogModel;
  /** The client's dialect, in which the body is written. */
  readonly dialect: Dialect;
  /** The client's body, parsed; unknown fields included. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Anthropic's mark that the prompt up to here may be kept in the provider's cache. */
export interface CacheControl {
  readonly type: 'ephemeral';
  readonly ttl?: '5m' | '1h' | undefined;
}

/**
 * What the API behind a model can carry, beyond what the AI SDK itself warns of. The SDK passes over some fields in silence; each of
 * those is named here, so that its loss is known before anything is sent.
 */
export interface Target {
  readonly model: CatalogModel;
  /** Where the end user's id goes; undefined if there is no place. */
  readonly user: ((id: string) => ProviderOptions) | undefined;
  /** How at most one tool call a reply is asked for. */
  readonly oneToolCall: ProviderOptions | undefined;
  /** Whether a JSON schema must hold strictly; undefined if the provider decides. */
  readonly strictSchema: ((strict: boolean) => ProviderOptions) | undefined;
  /** Has a mode for JSON without a schema; else the model is instructed. */
  readonly jsonMode: boolean;
  /** Where a cache mark goes on messages, and on tools. */
  readonly cache: ((mark: CacheControl) => ProviderOptions) | undefined;
  readonly cacheOnTools: boolean;
  /** A failed tool call is marked as such; else its text says so. */
  readonly marksToolErrors: boolean;
  /** Takes pictures in the results of tools; else they follow in a message of the user. */
  readonly imagesInToolResults: boolean;
  /** Takes any name for a file. */
  readonly fileNames: boolean;
  /** Takes sound in the user's messages. */
  readonly audio: boolean;
  /** Continues an assistant's message that is the last. */
  readonly continuesAnswers: boolean;
  /** Keeps several system texts apart; else they are joined by an empty line, because some chat templates take one only. */
  readonly separateSystemTexts: boolean;
  /**
   * Takes system messages between other messages; else they become text of the user, in their place. Many chat templates behind
   * compatible servers refuse them.
   */
  readonly systemAnywhere: boolean;
  /** Takes texts of nothing but white space. */
  readonly blankTexts: boolean;
  /** Fetches a file of this media type from this URL itself. Plimsoll never does: an address in a request could be inside the operator's network. */
  readonly fetches: (url: URL, mediaType: string) => boolean;
}

type Known = Omit<Target, 'model' | 'fetches'> & { readonly fetchesImages: boolean };

const NOTHING = {
  user: undefined,
  oneToolCall: undefined,
  strictSchema: undefined,
  jsonMode: true,
  cache: undefined,
  cacheOnTools: false,
  marksToolErrors: false,
  imagesInToolResults: false,
  fileNames: true,
  audio: false,
  continuesAnswers: false,
  separateSystemTexts: false,
  systemAnywhere: false,
  blankTexts: true,
  fetchesImages: false,
} as const;

const TARGETS: Readonly<Record<ProviderKind, Known>> = {
  openai: {
    ...NOTHING,
    user: (user) => ({ openai: { user } }),
    oneToolCall: { openai: { parallelToolCalls: false } },
    strictSchema: (strictJsonSchema) => ({ openai: { strictJsonSchema } }),
    audio: true,
    systemAnywhere: true,
    fetchesImages: true,
  },
  'openai-compatible': {
    ...NOTHING,
    user: (user) => ({ openaiCompatible: { user } }),
    // The SDK copies what it does not know under the provider's own name into the body.
    oneToolCall: { upstream: { parallel_tool_calls: false } },
    strictSchema: (strictJsonSchema) => ({ openaiCompatible: { strictJsonSchema } }),
    audio: true,
    fetchesImages: true,
  },
  anthropic: {
    ...NOTHING,
    user: (userId) => ({ anthropic: { metadata: { userId } } }),
    oneToolCall: { anthropic: { disableParallelToolUse: true } },
    jsonMode: false,
    cache: ({ type, ttl }) => ({ anthropic: { cacheControl: { type, ...(ttl && { ttl }) } } }),
    cacheOnTools: true,
    marksToolErrors: true,
    imagesInToolResults: true,
    continuesAnswers: true,
    separateSystemTexts: true,
    blankTexts: false,
    fetchesImages: true,
  },
  google: { ...NOTHING, imagesInToolResults: true, audio: true, separateSystemTexts: true },
  mistral: {
    ...NOTHING,
    oneToolCall: { mistral: { parallelToolCalls: false } },
    strictSchema: (strictJsonSchema) => ({ mistral: { strictJsonSchema } }),
    continuesAnswers: true,
    fetchesImages: true,
  },
  bedrock: {
    ...NOTHING,
    fileNames: false,
    jsonMode: false,
    cache: ({ ttl }) => ({ bedrock: { cachePoint: { type: 'default', ...(ttl && { ttl }) } } }),
    imagesInToolResults: true,
    continuesAnswers: true,
    separateSystemTexts: true,
    blankTexts: false,
  },
};

/** URLs that a model fetches by itself, by media type: `supportedUrls` of the AI SDK's models. */
export type SupportedUrls = Readonly<Record<string, readonly RegExp[]>>;

/** What the provider of this model can carry. @param urls - those that the model itself takes, beyond what its kind does. */
export function createTarget(model: CatalogModel, urls: SupportedUrls = {}): Target {
  const { kind } = model.provider;
  const { fetchesImages, ...known } = TARGETS[kind];
  const claudeOnBedrock = kind === 'bedrock' && model.id.includes('anthropic');
  return {
    model,
    ...known,
    ...(claudeOnBedrock && { oneToolCall: TARGETS.anthropic.oneToolCall }),
    fetches: ({ protocol, href }, mediaType) =>
      (fetchesImages && mediaType.startsWith('image/') && /^https?:$/.test(protocol)) ||
      Object.entries(urls).some(
        ([type, patterns]) => matches(type, mediaType) && patterns.some((pattern) => pattern.test(href)),
      ),
  };
}

/** @param pattern - `image/*`, `*` or a whole media type */
function matches(pattern: string, mediaType: string): boolean {
  const [kind, subtype] = pattern.split('/');
  if (kind === '*' || pattern === mediaType) return true;
  return mediaType.startsWith(`${kind}/`) && (subtype === '*' || mediaType.endsWith('/*'));
}

/** Options of several origins for one call: those of one provider are put together. */
export function mergedOptions(all: readonly (ProviderOptions | undefined)[]): ProviderOptions | undefined {
  const merged: ProviderOptions = {};
  for (const [provider, options] of all.flatMap((one) => Object.entries(one ?? {}))) {
    merged[provider] = { ...merged[provider], ...options };
  }
  return Object.keys(merged).length > 0 ? merged : undefined;
}
