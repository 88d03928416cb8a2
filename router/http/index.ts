/** Requests and responses on node's own HTTP: bodies within their limits, errors in the form of the client's API, replies to clients of any speed. */

export {
  closeWithin,
  disconnectStalledClients,
  openConnections,
  respondToClientError,
  withoutFloods,
} from './connections.ts';
export { attachment } from './content-disposition.ts';
export { readingGoogleKey, speaksGoogle } from './google-requests.ts';
export { bodyLimits, FAULT_RESPONSES, jsonBody, type WithBody } from './json-body.ts';
export { formBody, noBody, type WithBytes } from './raw-body.ts';
export {
  clientDialect,
  createSender,
  type ErrorEnvelope,
  type ErrorResponse,
  errorResponse,
  type Lifecycle,
  type Sender,
  toErrorResponse,
} from './responses.ts';
export { sendReply } from './send-reply.ts';
