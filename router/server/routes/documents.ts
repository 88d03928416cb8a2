import type { z } from 'zod';
import { VERSION } from '../../version.ts';
import type { Route, ServerContext } from '../context.ts';
import { openApiDocument } from '../openapi.ts';
import type { indexSchema } from '../schemas/response.ts';

/** GET /openapi.json: the API for programs, made of the schemas that check its requests. */
export function openApi({ send, config }: ServerContext): Route {
  const document = openApiDocument(config.server);
  return {
    method: 'get',
    path: '/openapi.json',
    summary: 'This API as OpenAPI 3.1.',
    handlers: [(request, response) => send.json(request, response, document)],
  };
}

/** GET /: what there is. */
export function index({ send }: ServerContext, routes: readonly Route[]): Route {
  const body: z.infer<typeof indexSchema> = {
    name: 'plimsoll',
    version: VERSION,
    routes: routes.map(({ method, path, summary }) => ({ method: method.toUpperCase(), path, summary })),
    documentation: '/openapi.json, and docs/API.md in the package',
  };
  return {
    method: 'get',
    path: '/',
    summary: 'This list.',
    handlers: [(request, response) => send.json(request, response, body)],
  };
}
