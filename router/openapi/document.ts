import { z } from 'zod';
import type { Config } from '../config/index.ts';
import { VERSION } from '../package.ts';
import { CALL_RESPONSES, HEADERS, SECURITY_SCHEMES } from './components.ts';
import {
  batchRequestSchema,
  batchResponseSchema,
  decisionSchema,
  errorEnvelopeSchema,
  healthSchema,
  indexSchema,
  readinessSchema,
  routeRequestSchema,
} from './decision-schemas.ts';
import { GATEWAY_SCHEMAS, LISTING_SCHEMAS } from './gateway-schemas.ts';
import { openApiPaths, type PathOptions } from './paths.ts';

/** The settings that change the API. */
type ApiConfig = Pick<Config, 'server' | 'providers'>;

/** The API as OpenAPI 3.1, from the schemas that check requests and those by which the tests check responses. */
export function openApiDocument(config: ApiConfig, options: Omit<PathOptions, 'callsModels'>) {
  const callsModels = Object.keys(config.providers).length > 0;
  return {
    openapi: '3.1.0',
    info: {
      title: 'Plimsoll',
      version: VERSION,
      description: 'Chooses the cheapest model that answers a request well enough.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: openApiPaths({ ...options, callsModels }),
    components: {
      schemas: {
        ...componentSchemas(decisionSchemas(config.server)),
        ...componentSchemas({ ...LISTING_SCHEMAS, ...(callsModels && GATEWAY_SCHEMAS) }),
      },
      ...(callsModels && { headers: HEADERS, responses: CALL_RESPONSES }),
      ...(options.needsKey && { securitySchemes: SECURITY_SCHEMES }),
    },
  };
}

function decisionSchemas({ maxMessages, maxBatch }: Config['server']) {
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
