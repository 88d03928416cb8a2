/** OpenAI's Responses API as options and results of the AI SDK, in both directions. */

export { isMappedProof } from './reasoning.ts';
export { responsesReply } from './reply.ts';
export { responsesRequest } from './request.ts';
export { responsesStream } from './stream.ts';
