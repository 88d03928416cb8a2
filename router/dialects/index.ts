/** OpenAI's and Anthropic's APIs as options and results of the AI SDK, in both directions. Pure: nothing here sends or receives. */
export { addedToBlocks, FIELDS_OF_REPLY } from './anthropic/messages.ts';
export { type MappedRequest, mapReply, mapRequest, mapStreams } from './chat.ts';
export { errorBody, errorEvent } from './errors.ts';
export { googleErrorBody } from './google/errors.ts';
export { GoogleEvents, googleReply } from './google/reply.ts';
export { chatRequest } from './google/request.ts';
export { type NeutralRequest, neutralRequest } from './neutral-request.ts';
export { type EmbeddingsRequest, embeddingsReply, embeddingsRequest } from './openai/embeddings.ts';
export { isFailure, type ReplyContext, ReplyError, type ReplyNotes, replyContext } from './reply.ts';
export { isMappedProof } from './responses/reasoning.ts';
export { type ReplyContent, replyContent, saysSomething, streamContent } from './whole-reply.ts';
