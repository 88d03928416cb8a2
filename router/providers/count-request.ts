import type { CatalogModel, Provider, ProviderKind } from '../catalog/index.ts';
import { CLAUDE_COUNTER_PATH, claudeBody, isClaudeOnVertex, type UnroutedCall } from '../exchange/index.ts';
import { editFields, type JsonObject } from '../json/index.ts';
import { mappedBody } from '../mapped-calls/index.ts';
import { nativeBody, type PassedRequest } from '../passthrough/index.ts';

/** A provider's own counter of a prompt's tokens: free of charge, and of the very tokens that the model would get. */
interface Counter {
  readonly path: (id: string) => string;
  /** @param body that of a request for a reply, in the provider's API */
  readonly body: (body: JsonObject, id: string) => JsonObject;
  /** The field of its reply that has the count. */
  readonly field: string;
}

/** What Anthropic's counter takes; it refuses the fields that are about the reply. */
const ANTHROPIC_FIELDS = ['messages', 'system', 'tools', 'tool_choice', 'thinking'];

/**
 * Anthropic: https://docs.anthropic.com/en/api/messages-count-tokens; Google: https://ai.google.dev/api/tokens. The other kinds of providers
 * have no counter that takes a whole request.
 */
const COUNTERS: Readonly<Partial<Record<ProviderKind, Counter>>> = {
  anthropic: {
    path: () => '/messages/count_tokens',
    body: (body, id) => ({
      model: id,
      ...chosen(body, ANTHROPIC_FIELDS),
    }),
    field: 'input_tokens',
  },
  google: {
    path: (id) => `/models/${id}:countTokens`,
    body: (body, id) => ({ generateContentRequest: { model: `models/${id}`, ...body } }),
    field: 'totalTokens',
  },
};

/** A request to a provider's counter. */
interface CountRequest {
  readonly passed: PassedRequest;
  /** The field of the reply that has the count. */
  readonly field: string;
}

/**
 * The request to the counter of a model's provider, whichever API the client speaks; undefined if it has none. Nothing is sent.
 * @throws PlimsollError `invalid-input` if the provider's API cannot carry the request
 */
export async function countRequest(
  call: UnroutedCall,
  model: CatalogModel,
  env: NodeJS.ProcessEnv = process.env,
): Promise<CountRequest | undefined> {
  const counter = counterOf(model.provider);
  if (counter === undefined) return undefined;
  const body = model.provider.dialects.includes(call.dialect)
    ? ownBody({ ...call, model })
    : JSON.stringify(counter.body(await mappedBody({ ...call, model }, env), model.id));
  const sent = isClaudeOnVertex(model.provider) ? claudeBody(body, true) : body;
  return { passed: passedTo(counter.path(model.id), sent), field: counter.field };
}

/** On Vertex both makers' counters are elsewhere, and Google's takes the request itself. */
function counterOf({ kind, platform }: Provider): Counter | undefined {
  const counter = COUNTERS[kind];
  if (platform !== 'vertex' || counter === undefined) return counter;
  if (kind === 'anthropic') return { ...counter, path: () => CLAUDE_COUNTER_PATH };
  return { ...counter, body: (body) => chosen(body, VERTEX_FIELDS) };
}

/** https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens */
const VERTEX_FIELDS = ['contents', 'systemInstruction', 'tools', 'generationConfig'];

function chosen(body: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => names.includes(name)));
}

type ModelCall = UnroutedCall & { readonly model: CatalogModel };

function ownBody(call: ModelCall): string {
  const { model, body, bodyText = JSON.stringify(body), unmappable = 'drop-hints' } = call;
  return editFields(nativeBody(call, bodyText, unmappable).text, body, { set: ['model', model.id] });
}

function passedTo(path: string, body: string): PassedRequest {
  return {
    method: 'POST',
    path,
    contentType: 'application/json',
    body,
    accept: 'application/json',
    repeatable: true,
  };
}
