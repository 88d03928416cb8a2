import { PASSED_ROUTES, type PassedRoute } from '../passthrough/index.ts';

/** Express's `:id` as OpenAPI writes it. */
export function pathTemplate(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

/** What the document has of every call, whatever is called. */
export interface CallParts {
  readonly requestId: object;
  /** By status. */
  readonly errors: Readonly<Record<string, object>>;
  readonly headers: object;
}

/** The paths of the routes that are passed through: the provider's own reference says what is in them. */
export function passedPaths(parts: CallParts): Record<string, Record<string, PassedOperation>> {
  const paths: Record<string, Record<string, PassedOperation>> = {};
  for (const route of PASSED_ROUTES) {
    const path = pathTemplate(`/v1${route.path}`);
    paths[path] = { ...paths[path], [route.method]: operation(route, parts) };
  }
  return paths;
}

interface PassedOperation {
  readonly operationId: string;
  readonly responses: object;
  readonly [field: string]: unknown;
}

const PROVIDER = {
  name: 'x-plimsoll-provider',
  in: 'header',
  required: false,
  description: 'The provider, by its name in the configuration; needed if several have the route.',
  schema: { type: 'string' },
};

function operation(route: PassedRoute, { requestId, errors, headers }: CallParts): PassedOperation {
  const { path, method, summary, model } = route;
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name);
  const ids = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const body = bodyOf(route);
  return {
    operationId: [method, ...path.split(/\W+/).filter(Boolean)].join('_'),
    summary,
    description: `Passed through to a provider of the kinds ${kindsOf(route)}, with its key. The same at ${pathTemplate(path)}, for clients whose base URL ends before /v1.`,
    parameters: [requestId, ...ids, ...(model === 'nowhere' ? [PROVIDER] : [])],
    ...(body && { requestBody: { required: true, content: body } }),
    responses: {
      '2XX': { description: "The provider's response.", headers, content: { '*/*': {} } },
      ...errors,
    },
  };
}

function kindsOf({ kinds }: PassedRoute): string {
  return [...new Set(Object.values(kinds).flat())].join(', ');
}

const MODEL = { type: 'string', description: '<provider>/<model>: nothing of this route is routed.' };
const WITH_MODEL = { type: 'object', required: ['model'], properties: { model: MODEL } };

function bodyOf({ body, model }: PassedRoute): object | undefined {
  if (body === 'none') return undefined;
  const schema = model === 'field' ? WITH_MODEL : { type: 'object' };
  return { [body === 'json' ? 'application/json' : 'multipart/form-data']: { schema } };
}
