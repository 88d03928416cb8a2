export { type AnswerContext, answerContext } from './answer-context.ts';
export { anthropicAnswer } from './anthropic-answer.ts';
export { anthropicRequest } from './anthropic-request.ts';
export { anthropicStream } from './anthropic-stream.ts';
export { embeddingsAnswer, tokensOf } from './embeddings-answer.ts';
export { type EmbeddingsRequest, embeddingsRequest } from './embeddings-request.ts';
export { errorBody, errorEvent } from './errors.ts';
export { withGoogleSchemas } from './google-body.ts';
export { createLosses, type Losses, UNMAPPABLE, type UnmappableRule } from './losses.ts';
export type { ModelRequest } from './model-request.ts';
export { openaiAnswer } from './openai-answer.ts';
export { openaiRequest } from './openai-request.ts';
export { openaiStream } from './openai-stream.ts';
export { ReplyError } from './reply-error.ts';
export { countIn, known, objectIn, objectsIn, textIn } from './reply-fields.ts';
export type { Json, ReplyNotes, ReplyRepair } from './reply-types.ts';
export { begun, endedUnfinished } from './sdk-parts.ts';
export type {
  CallOptions,
  EmbedResult,
  SdkEmbeddingModel,
  SdkModel,
  SdkTool,
  SdkUsage,
  SdkWarning,
  StreamPart,
} from './sdk-types.ts';
export { StreamedCalls, wholeCalls } from './streamed-calls.ts';
export { targetOf } from './target.ts';
export { unmappable } from './unmappable.ts';
export { UNKNOWN_USAGE, usageOf } from './usage.ts';
