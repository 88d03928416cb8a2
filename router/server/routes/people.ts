import type { IncomingMessage, ServerResponse } from 'node:http';
import { includesRole } from '../../access/index.ts';
import { HUMAN } from '../../catalog/index.ts';
import { invalidField, PlimsollError } from '../../errors.ts';
import type { Gateway } from '../../gateway/index.ts';
import { bodyLimits, jsonBody, type WithBody } from '../../http/index.ts';
import { isObject } from '../../json/index.ts';
import { MESSAGE_PATH, REPLY_PATH } from '../../openapi/index.ts';
import { COMMAND } from '../../package.ts';
import { clientReply, type PeopleTask, type Person, statusOf } from '../../people/index.ts';
import { conversationOf } from '../../prompt/index.ts';
import type { Route, ServerContext } from '../context.ts';
import type { Guarded } from '../guards.ts';
import { loggedErrorResponse } from '../server-log.ts';

/** A reply of the greatest length, each character escaped. */
const MAX_BODY_BYTES = 1_024 * 1_024;

/** What a route reads of its request. */
interface Asked {
  readonly id: string;
  readonly text: () => string;
  readonly people: string | undefined;
  readonly person: () => Person;
}

type People = NonNullable<Gateway['people']>;

interface TaskRoute {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly summary: string;
  readonly respond: (people: People, asked: Asked) => Promise<object>;
}

/** What those use who answer: keys with the role operate. */
export const TASK_ROUTES: readonly TaskRoute[] = [
  {
    method: 'get',
    path: '/v1/people/tasks',
    summary: 'Requests that wait for people, the oldest first.',
    respond: async (people, { person, people: named }) => ({
      object: 'list',
      data: (await people.waiting(person(), named)).map((task) => taskJson(task, people)),
    }),
  },
  {
    method: 'get',
    path: '/v1/people/tasks/:id',
    summary: 'A request for people, with its conversation.',
    respond: async (people, { id, person }) => wholeTask(await people.task(id, person()), people),
  },
  {
    method: 'post',
    path: '/v1/people/tasks/:id/claim',
    summary: 'Keeps a request for whoever asks; again, for longer.',
    respond: async (people, { id, person }) => wholeTask(await people.claim(id, person()), people),
  },
  {
    method: 'post',
    path: '/v1/people/tasks/:id/release',
    summary: 'Gives a request back.',
    respond: async (people, { id, person }) => taskJson(await people.release(id, person()), people),
  },
  {
    method: 'post',
    path: '/v1/people/tasks/:id/answer',
    summary: 'Replies to a request; the first reply counts.',
    respond: async (people, { id, person, text }) =>
      taskJson(await people.answer(id, text(), person(), 'api'), people),
  },
];

const MESSAGE = /^\/v1\/people\/[^/]+\/messages$/;

/** The route whose messages are signed, and need no API key. */
export function isSignedMessage({
  originalUrl,
  url = '',
}: {
  readonly originalUrl?: string;
  readonly url?: string | undefined;
}): boolean {
  return MESSAGE.test((originalUrl ?? url).split('?', 1)[0]!);
}

/** Routes of those who answer, of the clients who wait, and of webhooks. */
export function peopleRoutes(context: ServerContext, gateway: Gateway): Route[] {
  const { people, access } = gateway;
  const { send } = context;
  const limit = Math.min(MAX_BODY_BYTES, context.config.gateway.maxBodyBytes);
  const read = jsonBody(bodyLimits(context, limit), send, 'the limit of replies');

  /** @throws PlimsollError `forbidden`. Without keys nobody but this machine gets here */
  const personOf = ({ keyId, team }: Guarded): Person => {
    if (access === undefined) return { name: 'anybody on this machine', team: undefined };
    const role = keyId === undefined ? undefined : access.roleOf(keyId);
    if (role !== undefined && includesRole(role, 'operate')) return { name: `key ${keyId}`, team };
    throw new PlimsollError(
      'forbidden',
      `This takes an API key with the role operate: ${COMMAND} keys create --role operate makes one.`,
    );
  };

  type Respond = (
    people: People,
    request: AskingRequest,
    response: ServerResponse,
  ) => Promise<{ readonly body: unknown; readonly status?: number }>;
  const handlerOf = (respond: Respond) => {
    const answer = async (request: AskingRequest, response: ServerResponse) => {
      try {
        if (people === undefined || people.names().length === 0) throw nobodyAnswers();
        const { body, status } = await respond(people, request, response);
        send.json(request, response, body, status);
      } catch (error) {
        send.error(request, response, loggedErrorResponse(context, error, null));
      }
    };
    return answer;
  };
  const withBody =
    (answer: (request: AskingRequest, response: ServerResponse) => Promise<void>) =>
    (request: IncomingMessage, response: ServerResponse) =>
      read(request as AskingRequest, response, () => void answer(request as AskingRequest, response));

  const tasks = TASK_ROUTES.map(({ method, path, summary, respond }): Route => {
    const answer = handlerOf(async (desks, request) => {
      const { id = '' } = request.params;
      const { people: named } = request.query;
      const asked = {
        id,
        people: typeof named === 'string' ? named : undefined,
        person: () => personOf(request),
        text: () => textIn(request.body),
      };
      return { body: await respond(desks, asked) };
    });
    const takesBody = path.endsWith('/answer');
    return { method, path, summary, handlers: [handlerFor(takesBody ? withBody(answer) : answer)] };
  });
  const reply = handlerOf(async (desks, request, response) => {
    const task = await desks.ofClient(request.params['id'] ?? '', request.keyId);
    const { status, headers, body } = clientReply(task, desks.now());
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    return { body, status };
  });
  const message = handlerOf(async (desks, request) => {
    const named = request.params['people'] ?? '';
    const task = await desks.answerSigned(named, request.headers, request.bodyText ?? '');
    return { body: taskJson(task, desks) };
  });
  return [
    ...tasks,
    {
      method: 'get',
      path: REPLY_PATH,
      summary: 'The reply of people, for the client that asked.',
      handlers: [handlerFor(reply)],
    },
    {
      method: 'post',
      path: MESSAGE_PATH,
      summary: 'A reply by a signed message (Standard Webhooks).',
      handlers: [handlerFor(withBody(message))],
    },
  ];
}

type AskingRequest = IncomingMessage &
  WithBody &
  Guarded & {
    readonly params: Readonly<Record<string, string | undefined>>;
    readonly query: Readonly<Record<string, unknown>>;
  };

type Handler = Route['handlers'][number];

function handlerFor(answer: (request: AskingRequest, response: ServerResponse) => unknown): Handler {
  return (request, response) => void answer(request as AskingRequest, response);
}

function taskJson(task: PeopleTask, people: People) {
  const { id, createdMs, deadlineMs, claim, decisionId, tags, reply } = task;
  const status = statusOf(task, people.now());
  const held = status === 'claimed' ? claim : undefined;
  return {
    id,
    object: 'people.task',
    people: task.people,
    model: `${HUMAN}/${task.people}`,
    status,
    created_at: new Date(createdMs).toISOString(),
    deadline_at: new Date(deadlineMs).toISOString(),
    claimed_by: held?.by ?? null,
    claimed_until: held === undefined ? null : new Date(held.untilMs).toISOString(),
    decision_id: decisionId,
    tags,
    ...(task.isUnreadable && { unreadable: true }),
    ...(reply !== undefined && { answered_by: reply.by, minutes: reply.minutes, cost_usd: reply.costUsd }),
  };
}

function wholeTask(task: PeopleTask, people: People) {
  return { ...taskJson(task, people), messages: conversationOf(task.body, task.dialect) };
}

function textIn(body: unknown): string {
  if (!isObject(body))
    throw new PlimsollError('invalid-input', 'The body must be a JSON object: {"text": "…"}.');
  const other = Object.keys(body).find((name) => name !== 'text');
  if (other !== undefined) throw invalidField(other, 'is no field of a reply: there is text');
  const { text } = body;
  if (typeof text !== 'string') throw invalidField('text', 'must be a string');
  return text;
}

function nobodyAnswers(): PlimsollError {
  return new PlimsollError(
    'not-found',
    'No people answer here. The operator adds them with the part "people" of the configuration.',
  );
}
