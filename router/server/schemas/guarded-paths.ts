import { answeredWith, anyOf } from './openapi-parts.ts';

/** How a key is given: as OpenAI's clients do, or as Anthropic's. */
export const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'Authorization: Bearer <key>.' },
  apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
};

const SECURITY = [{ bearer: [] }, { apiKey: [] }];

const EITHER_ERROR = anyOf('OpenAIError', 'AnthropicError');
const CHALLENGE = { 'www-authenticate': { schema: { type: 'string', const: 'Bearer' } } };

const REFUSALS = {
  401: answeredWith('No API key, or an unknown one.', EITHER_ERROR, CHALLENGE),
  403: answeredWith('The API key has expired or was revoked.', EITHER_ERROR, CHALLENGE),
};

type Paths = Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;

/** The same paths, with what API keys change on those that they guard: everything under /v1, and /metrics. */
export function guardedPaths(paths: Paths): Paths {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [
      path,
      /^\/(v1\/|metrics$)/.test(path) ? guarded(item) : item,
    ]),
  );
}

function guarded(item: Paths[string]): Paths[string] {
  return Object.fromEntries(
    Object.entries(item).map(([method, operation]) => [
      method,
      { ...operation, security: SECURITY, responses: { ...operation.responses, ...REFUSALS } },
    ]),
  );
}
