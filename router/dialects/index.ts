/** The APIs of clients as options and results of the AI SDK, in both directions; and what requests and replies of any of them say. Pure: nothing here sends or receives. */
export { addedToBlocks, FIELDS_OF_REPLY } from './anthropic/messages.ts';
export { type MappedRequest, mapReply, mapRequest, mapStreams } from './chat.ts';
export { errorBody, errorEvent } from './errors.ts';
export { type NeutralRequest, neutralRequest } from './neutral-request.ts';
export { type EmbeddingsRequest, embeddingsReply, embeddingsRequest } from './openai/embeddings.ts';
export { type ReplyContent, replyContent, saysSomething, streamContent } from './whole-reply.ts';
