import { type CatalogModel, placesOf, requirementsOf } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { UnroutedCall } from '../exchange/index.ts';
import type { FallbackResult } from '../fallback/index.ts';
import { countIn, parseJson } from '../json/index.ts';
import { countRequest } from '../providers/index.ts';
import type { SessionIdentity } from '../sessions/index.ts';
import type { ExecutionParts } from './execute-plan.ts';
import { failureReply, type GatewayReply } from './reply.ts';
import { replyHeaders, selectionHeaders } from './reply-headers.ts';
import { checkBody, type GatewayRequest } from './request.ts';
import { type Recording, recordOnce, requestId } from './request-record.ts';
import { explicitSelection } from './select-model.ts';
import type { SelectionParts } from './selection.ts';

interface CountContext {
  readonly startedAt: Date;
  readonly call: UnroutedCall;
  readonly parts: SelectionParts & ExecutionParts;
  readonly recording: Recording;
  readonly session: SessionIdentity | undefined;
}

/** Whether a count is the provider's own or a local estimate. */
const COUNT_HEADER = 'x-plimsoll-token-count';

/**
 * Counts the tokens of a prompt: by the provider's own counter if the client names a model whose provider has one, else by the local
 * estimate, which is labelled. No model is ever asked for a reply. If the counter cannot be reached, the estimate takes its place.
 * @throws PlimsollError if the body is invalid or `model` names nothing
 */
export async function countTokens(request: GatewayRequest, context: CountContext): Promise<GatewayReply> {
  const { startedAt, call, parts, recording, session } = context;
  checkBody(request);
  const wanted = parts.names.resolve(request.body['model']);
  const model = wanted.kind === 'explicit' ? placesOf(parts.catalog.get(wanted.name))[0] : undefined;
  const selection = model && explicitSelection(model);
  const id = requestId(undefined);
  const calledMs = performance.now();
  const counted = model && (await counterReply(model, call, parts, calledMs));
  const { result, tokens } = counted ?? {};
  const stages = {
    request,
    startedAt,
    selection,
    session,
    id,
    calledMs,
    ...(result && { result }),
    reason: 'tokens-counted',
  };
  const firstByteMs = performance.now();
  const headers = selection ? selectionHeaders(id, selection) : { 'x-plimsoll-decision-id': id };
  if (selection && result?.kind === 'failure' && result.final) {
    const executed = { ...stages, selection, headers, result, check: undefined, firstByteMs };
    return failureReply(executed, result, recording);
  }
  const body = tokens === undefined ? estimated(request) : { input_tokens: tokens };
  return {
    status: 200,
    headers: {
      ...headers,
      ...replyHeaders(
        {},
        { 'content-type': 'application/json' },
        {
          served: tokens === undefined ? undefined : model?.name,
          attempts: result?.attempts.length ?? 0,
          overheadMs: performance.now() - request.startedMs - (firstByteMs - calledMs),
          dropped: [],
          costUsd: undefined,
          baselineCostUsd: undefined,
        },
      ),
      [COUNT_HEADER]: tokens === undefined ? 'estimated' : 'counted',
    },
    body: Buffer.from(JSON.stringify(body)),
    stream: undefined,
    finished: recordOnce({ ...stages, firstByteMs }, recording, 200),
  };
}

function estimated({ body, dialect }: GatewayRequest) {
  return { input_tokens: requirementsOf(body, dialect).inputTokens, estimated: true };
}

/** What the provider's API cannot carry is estimated. */
function unlessUnmappable(error: unknown): undefined {
  if (!(error instanceof PlimsollError)) throw error;
}

interface CounterReply {
  readonly result: FallbackResult;
  /** Undefined if the counter gave none. */
  readonly tokens: number | undefined;
}

/** Undefined if the provider has no counter. */
async function counterReply(
  model: CatalogModel,
  call: UnroutedCall,
  { chain, upstream }: CountContext['parts'],
  nowMs: number,
): Promise<CounterReply | undefined> {
  const counter = await countRequest(call, model).catch(unlessUnmappable);
  if (counter === undefined) return undefined;
  const { passed, field } = counter;
  const result = await chain.execute({ ...call, passed }, [model], nowMs + upstream.deadlineMs);
  if (result.kind === 'failure') return { result, tokens: undefined };
  const { whole } = result.outcome.body;
  const tokens = whole && countIn(parseJson(Buffer.from(whole).toString('utf8')), field);
  return { result, tokens };
}
