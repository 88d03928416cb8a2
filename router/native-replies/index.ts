/** Replies that pass as they came, in the client's dialect or of a route that is passed through: checked, and read for their tokens on the way. */

export { plainReply, streamedReply } from './native-reply.ts';
export { passedHeaders, passedReply } from './passed-reply.ts';
export { askingForStreamUsage, withStreamUsage } from './stream-usage.ts';
