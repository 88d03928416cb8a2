/** Files of requests that are answered in the background: kept in the state, sent as requests of their client, resumed after a crash. */
export type { CallLine, LineCall, LineReply } from './ask-line.ts';
export { type Batch, batchJson, type Client, MAX_LINES } from './batch.ts';
export { type Batches, type BatchOptions, openBatches, type Upload } from './batches.ts';
export { isFileId, newestFirst, type StoredFile } from './file-store.ts';
export { ENDPOINTS, isEndpoint } from './line.ts';
