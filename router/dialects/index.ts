/** OpenAI's and Anthropic's APIs as options and results of the AI SDK, in both directions. Pure: nothing here sends or receives. */
export { type MappedRequest, mapReply, mapRequest, mapStream } from './chat.ts';
export { embeddingsAnswer, tokensOf } from './embeddings-answer.ts';
export { type EmbeddingsRequest, embeddingsRequest } from './embeddings-request.ts';
export { errorBody, errorEvent } from './errors.ts';
export { type Losses, UNMAPPABLE, type UnmappableRule } from './losses.ts';
export { type ReplyContext, ReplyError, type ReplyNotes, replyContext } from './reply.ts';
export type {
  CallOptions,
  EmbedResult,
  SdkEmbeddingModel,
  SdkModel,
  SdkTool,
  SdkWarning,
} from './sdk-types.ts';
export type { ModelRequest } from './target.ts';
export { unmappable } from './unmappable.ts';
