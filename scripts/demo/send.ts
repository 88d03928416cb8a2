import { request } from 'undici';
import type { Api, PlannedRequest } from './schedule.ts';
import type { PlayedRequest } from './summary.ts';

const PATHS: Readonly<Record<Api, string>> = {
  openai: '/v1/chat/completions',
  anthropic: '/v1/messages',
  responses: '/v1/responses',
};
const MAX_TOKENS = 300;
/** What a client of each API offers, if it offers a tool. */
const SCHEMA = { type: 'object', properties: { order: { type: 'string' } }, required: ['order'] };
const TOOL = { name: 'find_order', description: 'Finds an order by its number.' };

/** Sends a request, reads its reply, and rates it where the plan says so. Rejects if the signal aborts. */
export async function send(
  url: string,
  key: string,
  planned: PlannedRequest,
  signal: AbortSignal,
): Promise<PlayedRequest> {
  const { api, tag, session, score, stream } = planned;
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    request(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
      body: JSON.stringify(body),
      signal,
    });
  const { statusCode, headers, body, trailers } = await post(PATHS[api], bodyOf(planned), {
    ...(api === 'anthropic' && { 'anthropic-version': '2023-06-01' }),
    ...(tag && { 'x-plimsoll-tags': tag }),
    ...(session && { 'x-session-id': session }),
  });
  await body.text();
  const told = (name: string) => {
    const value = headers[name] ?? trailers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const decision = told('x-plimsoll-decision-id');
  const isRated = score !== undefined && statusCode === 200 && decision !== undefined;
  if (isRated) await (await post('/v1/feedback', { decision_id: decision, score })).body.dump();
  const numbers = { costUsd: told('x-plimsoll-cost-usd'), baselineUsd: told('x-plimsoll-baseline-cost-usd') };
  const names = {
    served: told('x-plimsoll-served'),
    selected: told('x-plimsoll-selected'),
    session,
  };
  return {
    status: statusCode,
    streamed: stream,
    rated: isRated,
    ...(Object.fromEntries(
      Object.entries(numbers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, Number(value)]],
      ),
    ) as Pick<PlayedRequest, 'costUsd' | 'baselineUsd'>),
    ...(Object.fromEntries(Object.entries(names).filter(([, value]) => value !== undefined)) as Pick<
      PlayedRequest,
      'served' | 'selected' | 'session'
    >),
  };
}

function bodyOf({ api, model, turns, stream, tools }: PlannedRequest): object {
  const messages = turns.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }));
  const common = { model, stream };
  if (api === 'responses') {
    const offered = tools && { tools: [{ type: 'function', ...TOOL, parameters: SCHEMA, strict: false }] };
    return { ...common, input: messages, max_output_tokens: MAX_TOKENS, store: false, ...offered };
  }
  if (api === 'anthropic') {
    const offered = tools && { tools: [{ ...TOOL, input_schema: SCHEMA }] };
    return { ...common, messages, max_tokens: MAX_TOKENS, ...offered };
  }
  const offered = tools && { tools: [{ type: 'function', function: { ...TOOL, parameters: SCHEMA } }] };
  return { ...common, messages, max_tokens: MAX_TOKENS, ...offered };
}
