import type { RequestHandler } from 'express';
import { invalidField, PlimsollError } from '../../errors.ts';
import type { Gateway } from '../../gateway/index.ts';
import { bodyLimits, errorResponse, jsonBody, type WithBody } from '../../http/index.ts';
import { isObject } from '../../json/index.ts';
import { feedbackRequestSchema } from '../../openapi/index.ts';
import type { Route, ServerContext } from '../context.ts';
import type { Guarded } from '../guards.ts';
import { loggedErrorResponse } from '../server-log.ts';

/** A right answer and a comment of the greatest length, each character escaped, and some more. Read before it is known who sent it. */
const MAX_BODY_BYTES = 256 * 1024;

const PATHS = ['/v1/feedback', '/feedback'] as const;

/** The route that takes a token in place of an API key. */
export function isFeedback({
  originalUrl,
  url = '',
}: {
  readonly originalUrl?: string;
  readonly url?: string | undefined;
}): boolean {
  const [path = ''] = (originalUrl ?? url).split('?', 1);
  return (PATHS as readonly string[]).includes(path);
}

const WRONG_TOKEN = errorResponse({
  status: 401,
  code: 'invalid_feedback_token',
  param: 'token',
  message: 'This token is not one of this server, is of another decision, or has expired.',
});
const NO_KEY = errorResponse({
  status: 401,
  code: 'invalid_api_key',
  message:
    'An API key is needed, or the token of the reply: Authorization: Bearer <key>, or token in the body.',
  headers: { 'www-authenticate': 'Bearer' },
});

/** Feedback on a reply: by the client with its API key, or by an end user with the token of the reply. */
export function feedbackRoute(context: ServerContext, { feedback, access }: Gateway): Route {
  const { send } = context;
  const respond = async (...[request, response]: Parameters<RequestHandler>) => {
    try {
      if (feedback === undefined) throw feedbackIsOff();
      const given = givenFeedback((request as WithBody).body);
      const { keyId } = request as Guarded;
      if (access !== undefined && keyId === undefined && given.token === undefined) {
        send.error(request, response, NO_KEY);
        return;
      }
      const receipt = await feedback.give(given, keyId);
      if (receipt === undefined) send.error(request, response, WRONG_TOKEN);
      else send.json(request, response, { decision_id: receipt.decisionId, recorded: receipt.recorded });
    } catch (error) {
      send.error(request, response, loggedErrorResponse(context, error, null));
    }
  };
  const { maxBodyBytes } = context.config.server;
  const read =
    maxBodyBytes < MAX_BODY_BYTES
      ? jsonBody(bodyLimits(context, maxBodyBytes), send, 'server.max_body_bytes')
      : jsonBody(bodyLimits(context, MAX_BODY_BYTES), send, 'the limit of feedback');
  return {
    method: 'post',
    path: PATHS[0],
    unversionedPath: PATHS[1],
    summary: 'Feedback on a reply, by its decision id or its token.',
    handlers: [read, (request, response, next) => void respond(request, response, next)],
  };
}

function givenFeedback(body: unknown) {
  if (!isObject(body)) {
    throw new PlimsollError(
      'invalid-input',
      'The body must be a JSON object: {"decision_id": "dec_…", "score": 0.5}.',
    );
  }
  const { success, data, error } = feedbackRequestSchema.safeParse(body);
  if (!success) {
    const [issue] = error.issues;
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const field = [...(issue?.path ?? []), ...unknown].map(String).join('.');
    throw invalidField(
      field,
      unknown.length > 0 ? 'is no field of feedback' : (issue?.message ?? 'is invalid'),
    );
  }
  const { decision_id, request_id, token, score, thumbs, correct_answer, comment, signal } = data;
  return {
    decisionId: decision_id ?? request_id,
    token,
    score: thumbs === undefined ? score : Number(thumbs === 'up'),
    correctAnswer: correct_answer,
    comment,
    signal,
  };
}

function feedbackIsOff(): PlimsollError {
  return new PlimsollError(
    'not-found',
    'This server takes no feedback. The operator turns it on with the part "feedback" of the configuration.',
  );
}
