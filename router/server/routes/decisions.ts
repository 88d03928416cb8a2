import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { type AbortSignalLike, LightAbortSignal } from '../../abort-signal.ts';
import { requirementsOf } from '../../catalog/index.ts';
import { PlimsollError } from '../../errors.ts';
import {
  bodyLimits,
  type ErrorEnvelope,
  type ErrorResponse,
  errorResponse,
  jsonBody,
  type WithBody,
} from '../../http/index.ts';
import { isObject, repeatedField } from '../../json/index.ts';
import { batchRequestSchema, type RouteRequest, routeRequestSchema } from '../../openapi/index.ts';
import { agreedProfile, existingProfile } from '../../profile-choice.ts';
import { scoredText } from '../../prompt/index.ts';
import { requestTags, requestTask, TAGS_HEADER, TASK_HEADER } from '../../request-tags.ts';
import type { RequestTraits } from '../../rules/index.ts';
import { nextTurn } from '../../turns.ts';
import type { RouteInput } from '../../types.ts';
import { nearestField } from '../../unknown-field.ts';
import type { Route, ServerContext } from '../context.ts';
import { type DecisionJson, decisionJson, explainedJson } from '../decision-json.ts';
import type { Guarded } from '../guards.ts';
import { namedProfile } from '../named-profile.ts';
import { loggedErrorResponse } from '../server-log.ts';

/** POST /v1/route: one request, one decision. */
export function routeOne(context: ServerContext): Route {
  const { config, send } = context;
  const schema = routeRequestSchema(config.server.maxMessages);
  const handler: RequestHandler = (request, response) => {
    const tooMany = tooManyParts([request.body]);
    if (tooMany) return send.error(request, response, tooMany);
    const checked = checkWhole<RouteRequest>(schema, request);
    if (!checked.ok) return send.error(request, response, checked.error);
    const work = () => decide(context, checked.value, request);
    return respondWith(work, context, request, response, inputField(checked.value));
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

/** Enough to keep an encoder's threads busy; more would only keep other requests waiting. */
const ITEMS_AT_ONCE = 8;

/** POST /v1/route/batch: many requests, their decisions in order. An item that is wrong fails alone. */
export function routeBatch(context: ServerContext): Route {
  const { config, send } = context;
  const itemSchema = routeRequestSchema(config.server.maxMessages);
  const schema = batchRequestSchema(z.unknown(), config.server.maxBatch);

  async function decideItem(
    item: unknown,
    policy: string | undefined,
    incoming: Incoming,
  ): Promise<DecisionJson | ErrorEnvelope> {
    const checked = checkBody<RouteRequest>(itemSchema, item);
    if (!checked.ok) return checked.error.body;
    const request = { ...(policy !== undefined && { policy }), ...checked.value };
    try {
      return await decide(context, request, incoming);
    } catch (error) {
      return loggedErrorResponse(context, error, inputField(request)).body;
    }
  }

  const handler: RequestHandler = (request, response) => {
    const checked = checkWhole(schema, request);
    if (!checked.ok) return send.error(request, response, checked.error);
    const { requests, policy } = checked.value;
    const tooMany = tooManyParts(requests);
    if (tooMany) return send.error(request, response, tooMany);
    const work = async (signal: AbortSignalLike) => {
      labelsOf(request); // what is wrong with a header is wrong with the whole batch
      const decideOne = (item: unknown) => decideItem(item, policy, request);
      return { decisions: await mapInOrder(requests, ITEMS_AT_ONCE, decideOne, signal) };
    };
    return respondWith(work, context, request, response, 'requests');
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

/**
 * Does the work of one request if there is room for it, and sends its result. After server.request_timeout_ms the client gets an error;
 * `signal` aborts then, and the work keeps its place until it has ended.
 * @param param the field at fault if the work rejects without naming one
 */
async function respondWith(
  work: (signal: AbortSignalLike) => Promise<unknown>,
  context: ServerContext,
  request: IncomingMessage,
  response: ServerResponse,
  param: string,
): Promise<void> {
  const { queue, send, config } = context;
  const entry = await queue.enter();
  if (entry.outcome !== 'entered') return send.error(request, response, OVERLOADED);
  const timeout = new LightAbortSignal();
  const timer = setTimeout(() => {
    timeout.abort(TIMED_OUT);
    send.error(request, response, TIMED_OUT);
  }, config.server.requestTimeoutMs);
  try {
    send.json(request, response, await work(timeout));
  } catch (error) {
    if (!timeout.aborted) send.error(request, response, loggedErrorResponse(context, error, param));
  } finally {
    clearTimeout(timer);
    entry.leave();
  }
}

const OVERLOADED = errorResponse({
  status: 503,
  code: 'overloaded',
  message: 'As many requests as server.max_concurrency allows are at work. Try again in a moment.',
  headers: { 'retry-after': '1' },
});

const TIMED_OUT = errorResponse({
  status: 503,
  code: 'request_timeout',
  message: 'The request was not decided within server.request_timeout_ms.',
});

/** Decides on one checked request. Rejects as the router does. */
async function decide(
  { router, log }: ServerContext,
  request: RouteRequest,
  incoming: Incoming,
): Promise<DecisionJson> {
  const { profile: named, ...labels } = labelsOf(incoming, request);
  const profile = existingProfile(named, router.profiles);
  const asked = {
    ...(request.policy !== undefined && { policy: request.policy }),
    ...(profile !== undefined && { profile }),
    ...(labels.task !== undefined && { task: labels.task }),
  };
  const input = routeInput(request);
  const isRuled = router.rules.length > 0;
  const options = isRuled ? router.ruled(traitsOf(input, labels, incoming), asked) : asked;
  const decision = request.explain
    ? explainedJson(await router.explain(input, options))
    : decisionJson(await router.route(input, options));
  log.decision(decision, labels);
  return decision;
}

/** What rules look at of a request. */
function traitsOf(
  input: RouteInput,
  { tags, task }: Pick<ReturnType<typeof labelsOf>, 'tags' | 'task'>,
  { headers, keyId }: Incoming,
): RequestTraits {
  const messages = 'prompt' in input ? [{ role: 'user', content: input.prompt }] : input.messages;
  return {
    model: undefined,
    isExplicit: false,
    task,
    tags,
    keyId,
    headers,
    text: () => scoredText(input),
    needs: () => requirementsOf({ messages }, 'openai'),
  };
}

/** What the client calls a request. @throws PlimsollError `invalid-input` or `too-many-entries` that names the header */
function labelsOf(
  incoming: Incoming,
  { tags, task, profile }: Pick<RouteRequest, 'tags' | 'task' | 'profile'> = {},
) {
  const { headers } = incoming;
  const named = namedProfile(incoming);
  return {
    tags: requestTags(headers[TAGS_HEADER], tags),
    task: requestTask(headers[TASK_HEADER], task),
    profile: profile === undefined ? named : agreedProfile(named, { name: profile, by: 'field' }),
  };
}

/** The request that a decision, or a batch of them, came with. */
type Incoming = Pick<IncomingMessage, 'headers'> & Guarded;

function routeInput({ prompt, messages }: RouteRequest): RouteInput {
  if (prompt !== undefined) return { prompt };
  if (messages !== undefined) return { messages };
  throw new PlimsollError('internal', 'A request without prompt and messages passed the schema.');
}

/** The field that the input is in; the router's errors do not name it. */
function inputField(request: RouteRequest): 'prompt' | 'messages' {
  return request.prompt === undefined ? 'messages' : 'prompt';
}

/** Work that never waits would keep all other requests waiting until its last item. */
const SLICE_MS = 10;

/**
 * Applies `f` to each item, at most `width` at once, with the results in the order of the items. Takes no new items once `signal` has aborted:
 * the results then have holes, and nobody reads them.
 */
async function mapInOrder<T, R>(
  items: readonly T[],
  width: number,
  f: (item: T) => Promise<R>,
  signal: AbortSignalLike,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const entries = items.entries(); // shared, so that each worker takes the next item
  let sliceStartMs = performance.now();
  async function worker(): Promise<void> {
    for (const [index, item] of entries) {
      if (performance.now() - sliceStartMs > SLICE_MS) {
        await nextTurn();
        sliceStartMs = performance.now();
      }
      if (signal.aborted) return;
      results[index] = await f(item);
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}

type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ErrorResponse };

/** As `checkBody`; a field that is there twice is wrong too: whoever wrote it meant one of the two values. */
function checkWhole<T>(schema: z.ZodType<T>, { body, bodyText = '', bodyNames = 0 }: WithBody): Checked<T> {
  const checked = checkBody(schema, body);
  if (!checked.ok || !isObject(body)) return checked;
  const repeated = repeatedField(bodyText, body, bodyNames);
  if (repeated === undefined) return checked;
  const param = fieldName([repeated]);
  const message = `${param} is there more than once; send it once.`;
  return { ok: false, error: errorResponse({ status: 400, code: 'invalid_field', message, param }) };
}

/** The first thing that is wrong becomes the error. It quotes no values, only names of fields. */
function checkBody<T>(schema: z.ZodType<T>, body: unknown): Checked<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw new PlimsollError('internal', 'A body was refused without an issue.');
  return { ok: false, error: issueResponse(schema, issue) };
}

/** In all messages of all requests of a body. The schema notes every wrong part, though only the first is reported. */
const MAX_PARTS = 10_000;

/** The error if the messages have more parts than are checked. */
function tooManyParts(requests: readonly unknown[]): ErrorResponse | undefined {
  let parts = 0;
  for (const request of requests) {
    for (const message of arrayField(request, 'messages')) parts += arrayField(message, 'content').length;
  }
  if (parts <= MAX_PARTS) return undefined;
  const message = `The messages have ${parts} parts, more than ${MAX_PARTS}. Send fewer, with longer texts.`;
  return errorResponse({ status: 400, code: 'too_many_entries', message, param: 'messages' });
}

function arrayField(holder: unknown, field: string): readonly unknown[] {
  const list = isObject(holder) ? holder[field] : undefined;
  return Array.isArray(list) ? list : [];
}

function issueResponse(schema: z.core.$ZodType, issue: z.core.$ZodIssue): ErrorResponse {
  const param = fieldName(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const unknown = fieldName([...issue.path, key]);
    const nearest = nearestField(schema, issue.path, key);
    const remedy = nearest === undefined ? 'Remove it' : `Did you mean "${nearest}"? Rename or remove it`;
    const message = `There is no field "${unknown}" in this request. ${remedy}; docs/API.md lists the fields.`;
    return errorResponse({ status: 400, code: 'unknown_field', message, param: unknown });
  }
  if (issue.code === 'too_big' && issue.origin === 'array') {
    const message = `${param} has more than ${issue.maximum} entries.`;
    return errorResponse({ status: 400, code: 'too_many_entries', message, param });
  }
  const reason =
    issue.code === 'invalid_union' ? 'must be a string, a list of parts with a type, or null' : issue.message;
  const message = `${param ?? 'The body'}: ${reason}.`;
  return errorResponse({ status: 400, code: 'invalid_field', message, param });
}

const MAX_FIELD_NAME_CHARACTERS = 100;

/** `messages.0.role`. The name may come from the client, so it is cut short and only printable characters stay. */
function fieldName(path: readonly PropertyKey[]): string | null {
  if (path.length === 0) return null;
  const name = path.map(String).join('.');
  return name.slice(0, MAX_FIELD_NAME_CHARACTERS).replace(/[^\x20-\x7e]/g, '?');
}
