import type { IncomingHttpHeaders } from 'node:http';
import type { Fault } from './faults.ts';
import type { Json } from './json.ts';

/** A request that the fake provider received. */
export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Json;
  readonly fault: Fault | undefined;
  /** The client left before the response was complete. */
  aborted: boolean;
}

/** A request on a platform, as its maker's own API would get it. */
export interface PlatformRequest {
  readonly request: SeenRequest;
  /** The key or token, from the one header that the platform reads. */
  readonly key: string | undefined;
  /** Why the platform refuses it. */
  readonly refusal: string | undefined;
}

const AZURE = /^\/openai(\/v1\/.*)$/;
const VERTEX = /^\/v1\/projects\/[^/]+\/locations\/[^/]+\/publishers\/(google|anthropic)\/models\/(.+)$/;
const CLAUDE = /^([^:]+):(rawPredict|streamRawPredict)$/;

/** OpenAI's API at `/openai/v1` as on Azure, Gemini and Claude as on Vertex AI; undefined for a request to a maker's own API. */
export function platformRequest(request: SeenRequest): PlatformRequest | undefined {
  const azure = AZURE.exec(request.path);
  if (azure !== null) return onAzure(request, azure[1]!);
  const vertex = VERTEX.exec(request.path);
  if (vertex === null) return undefined;
  const [, publisher, call = ''] = vertex;
  return publisher === 'google' ? geminiOnVertex(request, call) : claudeOnVertex(request, call);
}

function onAzure(request: SeenRequest, path: string): PlatformRequest {
  const { 'api-key': key, authorization } = request.headers;
  const sent = typeof key === 'string' ? key : bearer(authorization);
  return { request: { ...request, path }, key: sent, refusal: undefined };
}

function geminiOnVertex(request: SeenRequest, call: string): PlatformRequest {
  const key = bearer(request.headers.authorization);
  return { request: { ...request, path: `/v1/models/${call}` }, key, refusal: undefined };
}

function claudeOnVertex(request: SeenRequest, call: string): PlatformRequest {
  const { body, headers } = request;
  const [, model = '', method] = CLAUDE.exec(call) ?? [];
  const isCounter = model === 'count-tokens';
  const { anthropic_version: version, ...rest } = body;
  const path = method === undefined ? '/nowhere' : isCounter ? '/v1/messages/count_tokens' : '/v1/messages';
  return {
    request: {
      ...request,
      path,
      headers: { ...headers, 'anthropic-version': '2023-06-01' },
      body: isCounter ? rest : { ...rest, model },
    },
    key: bearer(headers.authorization),
    refusal: claudeRefusal(request, { version, isCounter, method }),
  };
}

interface ClaudeCall {
  readonly version: unknown;
  readonly isCounter: boolean;
  readonly method: string | undefined;
}

function claudeRefusal(
  { body }: SeenRequest,
  { version, isCounter, method }: ClaudeCall,
): string | undefined {
  if (version !== 'vertex-2023-10-16') return 'anthropic_version: Field required';
  if (!isCounter && body['model'] !== undefined) return 'model: Extra inputs are not permitted';
  if (!isCounter && (body['stream'] === true) !== (method === 'streamRawPredict'))
    return 'stream does not fit the method';
  return undefined;
}

function bearer(header: string | undefined): string | undefined {
  return header?.startsWith('Bearer ') ? header.slice('Bearer '.length) : undefined;
}
