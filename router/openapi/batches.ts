import { ENDPOINTS } from '../batches/index.ts';
import { type DescribedRoute, jsonResponse } from './components.ts';
import { pathTemplate } from './passed.ts';

interface RouteParts {
  readonly requestId: object;
  readonly error: object;
  readonly routes: readonly DescribedRoute[];
}

interface BatchOperation {
  readonly operationId: string;
  readonly responses: object;
  readonly [field: string]: unknown;
}

const WANTED = {
  type: 'object',
  required: ['input_file_id', 'endpoint', 'completion_window'],
  properties: {
    input_file_id: { type: 'string', description: 'As POST /v1/files gives it.' },
    endpoint: { enum: ENDPOINTS, description: 'What all lines of the file ask for.' },
    completion_window: { const: '24h' },
    metadata: { type: ['object', 'null'], additionalProperties: { type: 'string' } },
  },
};

/** The paths of batches: OpenAI's reference says what is in them; what they cost is in the field `plimsoll`. */
export function batchPaths({
  requestId,
  error,
  routes,
}: RouteParts): Record<string, Record<string, BatchOperation>> {
  const refusal = (description: string) => jsonResponse(description, error);
  const query = (name: string, description: string) => ({
    name,
    in: 'query',
    required: false,
    description,
    schema: { type: 'string' },
  });
  const paths: Record<string, Record<string, BatchOperation>> = {};
  for (const { method, path, summary } of routes) {
    const template = pathTemplate(`/v1${path}`);
    const hasId = path.includes(':id');
    const isCreating = method === 'post' && !hasId;
    const isCancelling = method === 'post' && hasId;
    const isList = method === 'get' && !hasId;
    paths[template] = {
      ...paths[template],
      [method]: {
        operationId: [method, ...path.split(/\W+/).filter(Boolean)].join('_'),
        summary,
        description: `Needs batches in the configuration. The same at ${pathTemplate(path)}, for clients whose base URL ends before /v1. Its files are those of POST /v1/files with purpose batch and without x-plimsoll-provider.`,
        parameters: [
          requestId,
          ...(hasId ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }] : []),
          ...(isList
            ? [query('after', 'The id of the batch before the page.'), query('limit', '1 to 100.')]
            : []),
        ],
        ...(isCreating && {
          requestBody: { required: true, content: { 'application/json': { schema: WANTED } } },
        }),
        responses: {
          200: jsonResponse("In OpenAI's form.", { type: 'object' }),
          400: refusal('A field is wrong or missing.'),
          404: refusal('There is no such batch or file for this key.'),
          ...(isCreating && { 409: refusal('The key has as many batches as it may have.') }),
          ...(isCancelling && { 409: refusal('The batch has ended, or nearly.') }),
          503: refusal('The state cannot be reached.'),
        },
      },
    };
  }
  return paths;
}
