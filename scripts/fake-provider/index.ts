/** A server with the APIs of OpenAI, Anthropic and Google and without a model, for tests and benchmarks. */
export { FAULTS, type Fault } from './faults.ts';
export { parseOpenaiRequest } from './openai.ts';
export { generateReply, type Script } from './reply.ts';
export { type FakeProvider, type FakeProviderOptions, startFakeProvider } from './server.ts';
