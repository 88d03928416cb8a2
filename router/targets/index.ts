/** What a model and the API behind it take, and what a request loses on the way there. */

export { anthropicCapabilities } from './anthropic-capabilities.ts';
export { marksCache, withCacheMarks } from './cache-marks.ts';
export { whyNoEffort, withEfforts } from './effort-models.ts';
export type { Path } from './field-roles.ts';
export { type JsonSchema, relaxedSchema, strictSchema } from './json-schema.ts';
export { acceptedStops, acceptedTools, exceededLimit, isWithinLimits, limitFields } from './limits.ts';
export {
  createLosses,
  fieldName,
  type Losses,
  MissingField,
  NO_COUNTERPART,
  parseStrictly,
  type UnmappableRule,
  unmappable,
  withoutNulls,
} from './losses.ts';
export { overruledEfforts, withNamedEffort } from './named-effort.ts';
export { requirePictureLimits } from './picture-limits.ts';
export {
  cannotReason,
  canReason,
  effortForBudget,
  type Reasoning,
  reasoningOptions,
  refusesEffort,
  refusesSampling,
  refusesThinking,
  thinkingBudget,
} from './reasoning.ts';
export {
  type AssistantPart,
  acceptsText,
  type CacheControl,
  type CallOptions,
  type Content,
  createTarget,
  type EmbedResult,
  type FilePart,
  type FinishReason,
  type FunctionTool,
  type GenerateResult,
  type ModelRequest,
  mergeProviderOptions,
  type PictureDetail,
  type PromptMessage,
  type ProviderOptions,
  type ResponseFormat,
  type SdkEmbeddingModel,
  type SdkModel,
  type SdkTool,
  type SdkUsage,
  type SdkWarning,
  type StreamPart,
  type SupportedUrls,
  type Target,
  type ToolChoice,
  type ToolOutput,
  type ToolResultPart,
  targetFeatures,
  type UserPart,
  withoutUndefined,
} from './target.ts';
export {
  type CountedValues,
  mappedIds,
  nativeIds,
  parseToolInput,
  ToolCallIds,
  toolInput,
  validToolId,
} from './tool-calls.ts';
