export { FAULTS, type Fault } from './faults.ts';
export { askOfOpenai } from './openai.ts';
export { replyTo, type Script } from './reply.ts';
export { startUpstream, type Upstream } from './start-upstream.ts';
