import { z } from 'zod';
import type { Config } from '../config/index.ts';
import { VERSION } from '../package.ts';
import { isGuarded } from './announce.ts';
import { callPaths } from './schemas/call-paths.ts';
import { errorEnvelopeSchema } from './schemas/error.ts';
import { GATEWAY_SCHEMAS, LISTING_SCHEMAS } from './schemas/gateway.ts';
import { guardedPaths, SECURITY_SCHEMES } from './schemas/guarded-paths.ts';
import { LISTING_PATHS } from './schemas/listing-paths.ts';
import { answeredWith, REQUEST_ID, reference } from './schemas/openapi-parts.ts';
import { batchRequestSchema, routeRequestSchema } from './schemas/request.ts';
import {
  batchResponseSchema,
  decisionSchema,
  healthSchema,
  indexSchema,
  readinessSchema,
} from './schemas/response.ts';

/** What of the configuration changes the API. */
type Configured = Pick<Config, 'server' | 'providers' | 'access'>;

/** The API as OpenAPI 3.1, made of the schemas that check requests and of those that the tests check answers by. */
export function openApiDocument(config: Configured) {
  const callsModels = Object.keys(config.providers).length > 0;
  const keysGuard = isGuarded(config);
  const paths = { ...(callsModels && callPaths()), ...LISTING_PATHS, ...decidingPaths() };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Plimsoll',
      version: VERSION,
      description: 'Chooses the cheapest model that answers a request well enough.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: keysGuard ? guardedPaths(paths) : paths,
    components: {
      schemas: {
        ...componentSchemas(decidingSchemas(config.server)),
        ...componentSchemas({ ...LISTING_SCHEMAS, ...(callsModels && GATEWAY_SCHEMAS) }),
      },
      ...(keysGuard && { securitySchemes: SECURITY_SCHEMES }),
    },
  };
}

function decidingPaths() {
  return {
    '/v1/route': {
      post: posting('route', 'Choose the model for one request.', 'RouteRequest', 'Decision'),
    },
    '/v1/route/batch': {
      post: posting('routeBatch', 'Choose the models for many requests.', 'BatchRequest', 'BatchResponse'),
    },
    '/healthz': { get: getting('health', 'Whether the process is alive.', 'Health') },
    '/readyz': {
      get: getting('readiness', 'Whether requests should be sent here, and what serves.', 'Readiness', {
        503: answered(
          'Not ready: draining, a golden case came out wrong, or no model can be called.',
          'Readiness',
        ),
      }),
    },
    '/openapi.json': { get: getting('openApi', 'This document.', 'OpenApi') },
    '/': { get: getting('index', 'What there is.', 'Index') },
  };
}

function posting(operationId: string, summary: string, requestName: string, responseName: string) {
  const content = { 'application/json': { schema: reference(requestName) } };
  const refusals = Object.entries(REFUSALS).map(([status, why]) => [status, answered(why, 'Error')]);
  return {
    operationId,
    summary,
    parameters: [REQUEST_ID],
    requestBody: { required: true, content },
    responses: { 200: answered('Decided.', responseName), ...Object.fromEntries(refusals) },
  };
}

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'The request is wrong; param names the field.',
  404: 'There is no such policy.',
  408: 'The request took too long to arrive.',
  413: 'The body, its messages or its batch are too large.',
  415: 'The body is not JSON.',
  500: 'The server failed.',
  503: 'Overloaded (see Retry-After), or not decided in time.',
};

function getting(operationId: string, summary: string, responseName: string, further: object = {}) {
  return { operationId, summary, responses: { 200: answered('As it says.', responseName), ...further } };
}

const answered = (description: string, name: string) => answeredWith(description, reference(name));

function decidingSchemas({ maxMessages, maxBatch }: Config['server']) {
  const routeRequest = routeRequestSchema(maxMessages);
  return {
    RouteRequest: routeRequest,
    BatchRequest: batchRequestSchema(routeRequest, maxBatch),
    Decision: decisionSchema,
    BatchResponse: batchResponseSchema,
    Health: healthSchema,
    Readiness: readinessSchema,
    Index: indexSchema,
    OpenApi: z.looseObject({ openapi: z.string() }),
    Error: errorEnvelopeSchema,
  };
}

function componentSchemas(named: Readonly<Record<string, z.ZodType>>) {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, io: 'input' });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $id: _id, $schema: _dialect, ...schema }]) => [id, schema]),
  );
}
