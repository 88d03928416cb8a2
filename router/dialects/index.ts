/** OpenAI's and Anthropic's APIs as options and results of the AI SDK, in both directions. Pure: nothing here sends or receives. */
export { type MappedRequest, mapReply, mapRequest, mapStreams } from './chat.ts';
export { nativeBody } from './echoes.ts';
export { type EmbeddingsRequest, embeddingsReply, embeddingsRequest } from './embeddings.ts';
export { errorBody, errorEvent } from './errors.ts';
export { isWithinLimits, limitFields } from './limits.ts';
export { type Losses, MissingField, type UnmappableRule, unmappable } from './losses.ts';
export { isFailure, type ReplyContext, ReplyError, type ReplyNotes, replyContext } from './reply.ts';
export {
  type CallOptions,
  type EmbedResult,
  type ModelRequest,
  type SdkEmbeddingModel,
  type SdkModel,
  type SdkTool,
  type SdkWarning,
  withoutUndefined,
} from './sdk.ts';
export { type ReplyContent, replyContent, streamContent } from './whole-reply.ts';
