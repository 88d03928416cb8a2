/** The HTTP API in schemas, which check requests, and its OpenAPI document. */

export {
  batchRequestSchema,
  type decisionSchema,
  type errorEnvelopeSchema,
  type healthSchema,
  type indexSchema,
  type RouteRequest,
  type readinessSchema,
  routeRequestSchema,
  type standingSchema,
} from './decision-schemas.ts';
export { openApiDocument } from './document.ts';
export { feedbackRequestSchema } from './feedback-schemas.ts';
export { pathTemplate } from './passed.ts';
export { MESSAGE_PATH, REPLY_PATH } from './people.ts';
