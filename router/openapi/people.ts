import { type DescribedRoute, jsonResponse, reference } from './components.ts';
import { pathTemplate } from './passed.ts';

export const REPLY_PATH = '/v1/people/replies/:id';
export const MESSAGE_PATH = '/v1/people/:people/messages';

interface RouteParts {
  readonly requestId: object;
  readonly error: object;
  readonly routes: readonly DescribedRoute[];
}

interface PeopleOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly responses: object;
  readonly [field: string]: unknown;
}

/** The paths of requests that people answer: for those who answer, for the clients who wait, and for webhooks. */
export function peoplePaths({
  requestId,
  error,
  routes,
}: RouteParts): Record<string, Record<string, PeopleOperation>> {
  const refusal = (description: string) => jsonResponse(description, error);
  const parameter = (name: string, place: 'path' | 'query' | 'header', description: string) => ({
    name,
    in: place,
    required: place !== 'query',
    description,
    schema: { type: 'string' },
  });
  const id = parameter('id', 'path', 'Of the task.');
  const body = (name: string) => ({
    required: true,
    content: { 'application/json': { schema: reference(name) } },
  });
  const paths: Record<string, Record<string, PeopleOperation>> = {};
  for (const { method, path, summary } of routes) {
    const step = path.split('/').at(-1)!;
    const isList = step === 'tasks';
    const isStep = method === 'post';
    const hasConversation = step === ':id' || step === 'claim';
    paths[pathTemplate(path)] = {
      ...paths[pathTemplate(path)],
      [method]: {
        operationId: isStep ? `${step}_task` : isList ? 'list_tasks' : 'get_task',
        summary,
        description:
          'Needs people in the configuration, and an API key with the role operate. A key with a team finds the tasks of its team alone.',
        parameters: [
          requestId,
          isList ? parameter('people', 'query', 'One name of the configuration; default: all.') : id,
        ],
        ...(step === 'answer' && { requestBody: body('PersonReply') }),
        responses: {
          200: jsonResponse(
            isList ? 'The tasks, without their texts.' : 'The task.',
            reference(
              isList ? 'PeopleTaskList' : hasConversation ? 'PeopleTaskWithConversation' : 'PeopleTask',
            ),
          ),
          400: refusal('A field is wrong or missing.'),
          403: refusal('The API key lacks the role operate.'),
          404: refusal('There is no such task for this key.'),
          ...(isStep && {
            409: refusal('Somebody else has it, or has replied.'),
            410: refusal('The deadline has passed, or the client has left.'),
          }),
          503: refusal('The state cannot be reached.'),
        },
      },
    };
  }
  paths[pathTemplate(REPLY_PATH)] = {
    get: {
      operationId: 'get_reply_of_people',
      summary: 'The reply of people, for the client that asked.',
      description: 'By the API key that the request came with.',
      parameters: [requestId, id],
      responses: {
        200: jsonResponse('The reply, in the form of the API that the request was of.', { type: 'object' }),
        202: jsonResponse('It is to come.', reference('PendingReply')),
        404: refusal('There is no such request under this API key.'),
        410: refusal('The deadline has passed.'),
        503: refusal('The state cannot be reached.'),
      },
    },
  };
  paths[pathTemplate(MESSAGE_PATH)] = {
    post: {
      operationId: 'post_message_of_people',
      summary: 'A reply by a signed message (Standard Webhooks).',
      description:
        'Needs a webhook in the configuration, and no API key: the signature is in its place. https://www.standardwebhooks.com',
      parameters: [
        requestId,
        parameter('people', 'path', 'A name of the configuration.'),
        parameter('webhook-id', 'header', 'Of the message: one that was sent before is refused.'),
        parameter('webhook-timestamp', 'header', 'Seconds since 1970, at most five minutes away.'),
        parameter('webhook-signature', 'header', 'v1,<base64 of the HMAC-SHA256 of id.timestamp.body>.'),
      ],
      requestBody: body('SignedPersonReply'),
      responses: {
        200: jsonResponse('The task.', reference('PeopleTask')),
        400: refusal('A field is wrong or missing.'),
        403: refusal('It is not signed, or too old.'),
        404: refusal('There is no such task.'),
        409: refusal('It was sent before, or the task has a reply, or somebody else has it.'),
        410: refusal('The deadline has passed, or the client has left.'),
        503: refusal('The state cannot be reached.'),
      },
    },
  };
  return paths;
}
