import type { CallParts } from './passed.ts';

/** An error in Google's form. */
export const GOOGLE_ERROR = {
  type: 'object',
  required: ['error'],
  properties: { error: { type: 'object', required: ['code', 'message', 'status'] } },
};

const inJson = (description: string, schema: object) => ({
  description,
  content: { 'application/json': { schema } },
});

const GOOGLE_CALL = {
  name: 'id',
  in: 'path',
  required: true,
  description:
    '<model>:generateContent, <model>:streamGenerateContent (with alt=sse) or <model>:countTokens.',
  schema: { type: 'string' },
};

const ANY_OBJECT = { type: 'object' };

/**
 * Google's API; newer clients ask for v1, older ones for v1beta.
 * @param model the operation of the other APIs at the path that they share
 */
export function googlePaths(
  { requestId, errors, headers }: CallParts,
  model: { readonly responses: object },
) {
  const call = (operationId: string) => ({
    operationId,
    summary: "Google's generateContent, streamGenerateContent and countTokens, routed or by name.",
    parameters: [requestId, GOOGLE_CALL],
    requestBody: { required: true, content: { 'application/json': { schema: ANY_OBJECT } } },
    responses: {
      200: {
        description: 'The answer of the model.',
        headers,
        content: {
          'application/json': { schema: ANY_OBJECT },
          'text/event-stream': { schema: { type: 'string' } },
        },
      },
      ...errors,
    },
  });
  const list = (operationId: string, parameters: readonly object[]) => ({
    operationId,
    summary: "What the path of a call may name, in Google's form.",
    parameters,
    responses: {
      200: inJson('As it says.', ANY_OBJECT),
      404: inJson('There is no such model.', GOOGLE_ERROR),
    },
  });
  return {
    '/v1beta/models': { get: list('googleModels', []) },
    '/v1beta/models/{id}': { get: list('googleModel', [GOOGLE_CALL]), post: call('googleCall') },
    '/v1/models/{id}': { get: model, post: call('googleCallV1') },
  };
}
