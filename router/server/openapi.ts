import { z } from 'zod';
import type { Config } from '../config.ts';
import { VERSION } from '../version.ts';
import { errorEnvelopeSchema } from './schemas/error.ts';
import { batchRequestSchema, routeRequestSchema } from './schemas/request.ts';
import {
  batchResponseSchema,
  decisionSchema,
  healthSchema,
  indexSchema,
  readinessSchema,
} from './schemas/response.ts';

type Limits = Pick<Config['server'], 'max_messages' | 'max_batch'>;

/** The API as OpenAPI 3.1, made of the schemas that check requests and of those that the tests check answers by. */
export function openApiDocument(limits: Limits) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Plimsoll',
      version: VERSION,
      description: 'Chooses the cheapest model that answers a request well enough.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: {
      '/v1/route': {
        post: posting('route', 'Choose the model for one request.', 'RouteRequest', 'Decision'),
      },
      '/v1/route/batch': {
        post: posting('routeBatch', 'Choose the models for many requests.', 'BatchRequest', 'BatchResponse'),
      },
      '/healthz': { get: getting('health', 'Whether the process is alive.', 'Health') },
      '/readyz': {
        get: getting('readiness', 'Whether requests should be sent here, and what serves.', 'Readiness', {
          503: answered('Not ready: draining, or a golden case came out wrong.', 'Readiness'),
        }),
      },
      '/openapi.json': { get: getting('openApi', 'This document.', 'OpenApi') },
      '/': { get: getting('index', 'What there is.', 'Index') },
    },
    components: { schemas: componentSchemas(limits) },
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

const REQUEST_ID = {
  name: 'x-request-id',
  in: 'header',
  required: false,
  description: 'Echoed in the answer where it is harmless; else the answer carries a new one.',
  schema: { type: 'string', pattern: '^[A-Za-z0-9_.:-]{1,128}$' },
};

function getting(operationId: string, summary: string, responseName: string, further: object = {}) {
  return { operationId, summary, responses: { 200: answered('As it says.', responseName), ...further } };
}

function answered(description: string, name: string) {
  const headers = { 'x-request-id': { schema: { type: 'string' } } };
  return { description, headers, content: { 'application/json': { schema: reference(name) } } };
}

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

function componentSchemas({ max_messages: maxMessages, max_batch: maxBatch }: Limits) {
  const registry = z.registry<{ id: string }>();
  const routeRequest = routeRequestSchema(maxMessages);
  registry.add(routeRequest, { id: 'RouteRequest' });
  registry.add(batchRequestSchema(routeRequest, maxBatch), { id: 'BatchRequest' });
  registry.add(decisionSchema, { id: 'Decision' });
  registry.add(batchResponseSchema, { id: 'BatchResponse' });
  registry.add(healthSchema, { id: 'Health' });
  registry.add(readinessSchema, { id: 'Readiness' });
  registry.add(indexSchema, { id: 'Index' });
  registry.add(z.looseObject({ openapi: z.string() }), { id: 'OpenApi' });
  registry.add(errorEnvelopeSchema, { id: 'Error' });
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, io: 'input' });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $id: _id, $schema: _dialect, ...schema }]) => [id, schema]),
  );
}
