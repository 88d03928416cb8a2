import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { Abandonment } from '../admission.ts';
import { answerWork, reportedAnswer } from '../answer-work.ts';
import type { Route, ServerContext } from '../context.ts';
import { decide, inputField } from '../decide.ts';
import type { DecisionJson } from '../decision-json.ts';
import type { ErrorEnvelope } from '../error-answer.ts';
import { bodyLimits, jsonBody } from '../json-body.ts';
import { mapInOrder } from '../map-in-order.ts';
import { parseBody, tooManyParts } from '../parse-body.ts';
import { batchRequestSchema, type RouteRequest, routeRequestSchema } from '../schemas/request.ts';

/** Enough to keep an encoder's threads at work; more would only keep other requests waiting. */
const ITEMS_AT_ONCE = 8;

/** POST /v1/route/batch: many requests, their decisions in order. An item that is wrong fails alone. */
export function routeBatch(context: ServerContext): Route {
  const { config, send } = context;
  const itemSchema = routeRequestSchema(config.server.maxMessages);
  const schema = batchRequestSchema(z.unknown(), config.server.maxBatch);

  async function decideItem(
    item: unknown,
    policy: string | undefined,
  ): Promise<DecisionJson | ErrorEnvelope> {
    const parsed = parseBody<RouteRequest>(itemSchema, item);
    if (!parsed.ok) return parsed.answer.body;
    const request = { ...(policy !== undefined && { policy }), ...parsed.value };
    try {
      return await decide(context, request);
    } catch (error) {
      return reportedAnswer(context, error, inputField(request)).body;
    }
  }

  const handler: RequestHandler = (request, response) => {
    const parsed = parseBody(schema, request.body);
    if (!parsed.ok) return send.error(request, response, parsed.answer);
    const { requests, policy } = parsed.value;
    const tooMany = tooManyParts(requests);
    if (tooMany) return send.error(request, response, tooMany);
    const work = async (waiting: Abandonment) => ({
      decisions: await mapInOrder(requests, ITEMS_AT_ONCE, (item) => decideItem(item, policy), waiting),
    });
    return answerWork(context, request, response, work, 'requests');
  };
  return {
    method: 'post',
    path: '/v1/route/batch',
    summary: 'Choose the models for many requests.',
    handlers: [
      jsonBody(bodyLimits(context, config.server.maxBodyBytes), send, 'server.max_body_bytes'),
      handler,
    ],
  };
}
