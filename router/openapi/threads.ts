import type { DescribedRoute } from './components.ts';
import { pathTemplate } from './passed.ts';

/** What the document has of every route, whatever it does. */
interface RouteParts {
  readonly requestId: object;
  readonly error: object;
  readonly routes: readonly DescribedRoute[];
}

interface ThreadOperation {
  readonly operationId: string;
  readonly responses: object;
  readonly [field: string]: unknown;
}

/** The paths of responses and conversations that are kept: OpenAI's reference says what is in them. */
export function threadPaths({
  requestId,
  error,
  routes,
}: RouteParts): Record<string, Record<string, ThreadOperation>> {
  const paths: Record<string, Record<string, ThreadOperation>> = {};
  for (const { method, path, summary } of routes) {
    const template = pathTemplate(`/v1${path}`);
    const hasId = path.includes(':id');
    const takesBody = method === 'post' && !path.endsWith('/cancel');
    const operation = {
      operationId: [method, ...path.split(/\W+/).filter(Boolean)].join('_'),
      summary,
      description: `Needs threads: on. The same at ${pathTemplate(path)}, for clients whose base URL ends before /v1.`,
      parameters: [
        requestId,
        ...(hasId ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }] : []),
      ],
      ...(takesBody && {
        requestBody: { required: false, content: { 'application/json': { schema: { type: 'object' } } } },
      }),
      responses: {
        200: {
          description: "In OpenAI's form.",
          content: { 'application/json': { schema: { type: 'object' } } },
        },
        400: { description: 'The request is wrong.', content: { 'application/json': { schema: error } } },
        404: { description: 'It is not kept here.', content: { 'application/json': { schema: error } } },
        503: {
          description: 'The state cannot be reached.',
          content: { 'application/json': { schema: error } },
        },
      },
    };
    paths[template] = { ...paths[template], [method]: operation };
  }
  return paths;
}
