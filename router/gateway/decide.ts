import type { z } from 'zod';
import type { CatalogModel, Dialect, ProviderKind } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { UnroutedCall } from '../exchange/index.ts';
import { resultWithin } from '../result-within.ts';
import { decisionCallSchema } from './decision-call.ts';
import type { GatewayReply } from './reply.ts';
import { mayCallTools } from './reply-fault.ts';
import { selectionHeaders } from './reply-headers.ts';
import { checkBody, type GatewayRequest } from './request.ts';
import { type Recording, recordOnce, requestId } from './request-record.ts';
import { profileOf, rememberSelection, selectModel } from './select-model.ts';
import { rungsOf, type Selection, type SelectionParts } from './selection.ts';

/** Names of APIs in Switchyard's form. */
const DIALECTS = {
  openai_chat: 'openai',
  openai_responses: 'responses',
  anthropic_messages: 'anthropic',
} as const satisfies Readonly<Record<string, Dialect>>;

/** The API of each kind of provider; the last two have no name in Switchyard's form, and get their own. */
const FORMATS: Readonly<Record<ProviderKind, string>> = {
  openai: 'openai_chat',
  'openai-compatible': 'openai_chat',
  mistral: 'openai_chat',
  anthropic: 'anthropic_messages',
  google: 'google_generate_content',
  bedrock: 'bedrock_converse',
  people: 'openai_chat',
};

interface DecisionContext {
  readonly startedAt: Date;
  readonly call: UnroutedCall;
  readonly parts: SelectionParts;
  readonly recording: Recording;
}

/**
 * Decides for another gateway, which calls the model itself: what is selected, and what may be called in its place, in order. Nothing is
 * called. In Switchyard's form (https://github.com/NVIDIA-NeMo/Switchyard, crates/switchyard-server, POST /v1/decision).
 * @throws PlimsollError as selecting a model does
 */
export async function decideFor(request: GatewayRequest, context: DecisionContext): Promise<GatewayReply> {
  const { startedAt, call, parts, recording } = context;
  const wanted = checked(request.body);
  const { body, dialect } = { body: wanted.request, dialect: DIALECTS[wanted.input_format] };
  const asked = { dialect, body, bodyText: JSON.stringify(body), operation: 'chat' } as const;
  checkBody(asked);
  const inner = { ...request, ...asked };
  const session = parts.sessions.identify(inner, true);
  const select = async () => {
    const opened = session && (await parts.sessions.open(session, inner, mayCallTools(body)));
    return selectModel(inner, { ...call, ...asked }, parts, opened);
  };
  const leftMs = (wanted.deadline_ms ?? Number.POSITIVE_INFINITY) - (performance.now() - request.startedMs);
  const selection = leftMs > 0 ? await selectionWithin(select, leftMs) : undefined;
  const shown =
    wanted.mode === 'enforce' && selection !== undefined ? selection : strongest(inner, parts, selection);
  const told = selection ?? shown;
  rememberSelection(told);
  const id = requestId(told);
  const [selected, ...fallbacks] = shown.candidates.map((model) => target(model, parts));
  return {
    status: 200,
    headers: { 'content-type': 'application/json', ...selectionHeaders(id, told) },
    body: Buffer.from(JSON.stringify({ selected, fallbacks })),
    stream: undefined,
    finished: recordOnce(
      { request: inner, startedAt, selection: told, session, id, calledMs: undefined, operation: 'decision' },
      recording,
      200,
    ),
  };
}

/** @param leftMs Infinity: as long as it takes */
function selectionWithin(select: () => Promise<Selection>, leftMs: number): Promise<Selection | undefined> {
  return Number.isFinite(leftMs) ? resultWithin(select(), leftMs) : select();
}

function checked(body: GatewayRequest['body']): z.infer<typeof decisionCallSchema> {
  const { success, data, error } = decisionCallSchema.safeParse(body);
  if (success) return data;
  const [issue] = error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  const field = [...(issue?.path ?? []), ...unknown.slice(0, 1)].join('.') || 'request';
  const why = unknown.length > 0 ? 'is no field of a decision' : 'is missing or not what it must be';
  throw new PlimsollError(
    'invalid-input',
    `${field} ${why}. Send {"input_format": "openai_chat", "request": {…}}, with the whole request.`,
    { place: { field } },
  );
}

/** What is called without a decision. */
function strongest(
  request: GatewayRequest,
  { router, catalog, names }: SelectionParts,
  decided: Selection | undefined,
): Selection {
  const profile = decided
    ? decided.profile
    : profileOf(request, names.resolve(request.body['model']), router);
  const ladder = decided?.ladder.length
    ? decided.ladder
    : rungsOf(profile, router).map(({ model }) => catalog.get(model));
  const selected = decided?.reason === 'explicit-model' ? decided.selected : ladder.at(-1)!;
  return { selected, candidates: [selected], reason: 'deadline', decision: undefined, profile, ladder };
}

/** Contains no secrets: the caller has the keys. */
function target(model: CatalogModel, { router }: SelectionParts) {
  const rungs = [...router.ladder, ...[...router.profiles.values()].flatMap(({ rungs }) => rungs)];
  return {
    target: rungs.find((rung) => rung.model === model.name)?.candidate ?? model.name,
    model: model.id,
    llm_client: { format: FORMATS[model.provider.kind], base_url: model.provider.baseUrl },
    extra_body: {},
  };
}
