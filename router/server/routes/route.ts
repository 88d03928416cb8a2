import type { RequestHandler } from 'express';
import { answerWork } from '../answer-work.ts';
import type { Route, ServerContext } from '../context.ts';
import { decide, inputField } from '../decide.ts';
import { bodyLimits, jsonBody } from '../json-body.ts';
import { parseBody, tooManyParts } from '../parse-body.ts';
import { type RouteRequest, routeRequestSchema } from '../schemas/request.ts';

/** POST /v1/route: one request, one decision. */
export function routeOne(context: ServerContext): Route {
  const { config, send } = context;
  const schema = routeRequestSchema(config.server.maxMessages);
  const handler: RequestHandler = (request, response) => {
    const tooMany = tooManyParts([request.body]);
    if (tooMany) return send.error(request, response, tooMany);
    const parsed = parseBody<RouteRequest>(schema, request.body);
    if (!parsed.ok) return send.error(request, response, parsed.answer);
    const work = () => decide(context, parsed.value);
    return answerWork(context, request, response, work, inputField(parsed.value));
  };
  return {
    method: 'post',
    path: '/v1/route',
    summary: 'Choose the model for one request.',
    handlers: [
      jsonBody(bodyLimits(context, config.server.maxBodyBytes), send, 'server.max_body_bytes'),
      handler,
    ],
  };
}
