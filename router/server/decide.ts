import { PlimsollError } from '../errors.ts';
import type { RouteInput } from '../types.ts';
import type { ServerContext } from './context.ts';
import { type DecisionJson, decisionJson, explainedJson } from './decision-json.ts';
import type { RouteRequest } from './schemas/request.ts';

/** Decides on one checked request. Rejects as the router does. */
export async function decide(
  { router, report }: ServerContext,
  request: RouteRequest,
): Promise<DecisionJson> {
  const options = request.policy === undefined ? {} : { policy: request.policy };
  const input = inputOf(request);
  const decision = request.explain
    ? explainedJson(await router.explain(input, options))
    : decisionJson(await router.route(input, options));
  report.decided(decision);
  return decision;
}

function inputOf({ prompt, messages }: RouteRequest): RouteInput {
  if (prompt !== undefined) return { prompt };
  if (messages !== undefined) return { messages };
  throw new PlimsollError('internal', 'A request without prompt and messages passed the schema.');
}

/** The router speaks of the input as a whole; the caller wants to know the field. */
export function inputField(request: RouteRequest): 'prompt' | 'messages' {
  return request.prompt === undefined ? 'messages' : 'prompt';
}
