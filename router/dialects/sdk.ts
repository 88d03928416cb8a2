import type { EmbeddingModel, LanguageModel } from 'ai';

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
/** A JSON Schema as the SDK types it; it is passed on as it came. */
export type JsonSchema = FunctionTool['inputSchema'];

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
