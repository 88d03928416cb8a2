import type { z } from 'zod';
import { VERSION } from '../../package.ts';
import type { Route, ServerContext } from '../context.ts';
import { openApiDocument } from '../openapi.ts';
import type { indexSchema } from '../schemas/response.ts';

/** GET /openapi.json: the API for programs, made of the schemas that check its requests. */
export function openApi({ send, config }: ServerContext): Route {
  const document = openApiDocument(config);
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
    routes: routes.flatMap(({ method, path, summary }) =>
      writtenPaths(path).map((written) => ({ method: method.toUpperCase(), path: written, summary })),
    ),
    documentation: '/openapi.json, and docs/API.md in the package',
  };
  return {
    method: 'get',
    path: '/',
    summary: 'This list.',
    handlers: [(request, response) => send.json(request, response, body)],
  };
}

/** Express's paths as OpenAPI writes them: `/v1/models{/*id}` is both `/v1/models` and `/v1/models/{id}`. */
function writtenPaths(path: string): readonly string[] {
  const [, before, name] = /^(.*)\{\/\*(\w+)\}$/.exec(path) ?? [];
  return name === undefined ? [path] : [before!, `${before}/{${name}}`];
}
