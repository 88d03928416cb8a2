/** Google's API in terms of OpenAI's chat completions, in both directions. */

export { googleErrorBody } from './errors.ts';
export { GoogleEvents, googleReply } from './reply.ts';
export { chatRequest } from './request.ts';
