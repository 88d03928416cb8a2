import type { CallCost, PossibleCalls } from '../access/index.ts';
import {
  type CatalogModel,
  placesOf,
  type Requirements,
  requirementsOf,
  worstNanoUsd,
} from '../catalog/index.ts';
import type { UnroutedCall } from '../exchange/index.ts';
import { mayHedge } from '../fallback/index.ts';
import { withField } from '../json/index.ts';
import type { FurtherSignalOptions } from './further-signals.ts';
import { callPlaceOf } from './limit-steps.ts';
import type { Plan } from './plan.ts';

export interface ReplyLength {
  /** Reserved, and sent, for a request that says nothing of the length of its reply. */
  readonly defaultMaxTokens: number;
}

const LIMIT_FIELD = {
  openai: 'max_tokens',
  anthropic: 'max_tokens',
  responses: 'max_output_tokens',
} as const;

/** The call with a limit on its reply, if it has none. Mappings of the call without it do not hold for it. */
export function boundedCall(call: UnroutedCall, { defaultMaxTokens }: ReplyLength): UnroutedCall {
  const { dialect, body, operation, passed, bodyText = JSON.stringify(body) } = call;
  if (operation !== 'chat' || passed !== undefined) return call;
  if (requirementsOf(body, dialect).maxOutputTokens !== undefined) return call;
  const field = LIMIT_FIELD[dialect];
  return {
    ...call,
    body: { ...body, [field]: defaultMaxTokens },
    bodyText: withField(bodyText, body, field, defaultMaxTokens),
    mappings: new Map(),
  };
}

/** Beyond an estimate of tokens: pictures of one model take nine times as many as the estimate says. */
const MEDIA_FACTOR = 10;
/** Tokens of the verifier's prompt besides the request and the reply, and of its own reply. */
const VERIFIER_TOKENS = { input: 256, output: 16 };

/** What a plan may come to at most. */
export function possibleCalls(
  call: UnroutedCall,
  plan: Plan,
  parts: ReplyLength,
  { samples = 1, verifier }: FurtherSignalOptions,
): PossibleCalls {
  const size = sizeOf(call, parts);
  const all = (models: readonly CatalogModel[]) =>
    models.flatMap(placesOf).map((place) => worstCost(place, size));
  const hedged = (models: readonly CatalogModel[]) => paidTogether(call, plan, models).map(all);
  if (plan.kind === 'direct') return hedged(plan.candidates);
  if (plan.kind === 'people')
    return [all([plan.model]), ...(plan.fallback.length > 0 ? hedged(plan.fallback) : [])];
  const looks = plan.checks.flatMap(({ check: { uses }, candidates }) => {
    const further = Array.from({ length: uses.agreement ? samples - 1 : 0 }, () => all(candidates));
    const replies = [...hedged(candidates), ...further];
    if (!uses.verifier || verifier === undefined) return replies;
    const input = size.inputBytes + 4 * size.outputTokens + VERIFIER_TOKENS.input;
    const asked = { inputBytes: input, inputTokens: input, outputTokens: VERIFIER_TOKENS.output };
    return [...replies, [worstCost(verifier, asked)]];
  });
  return [...looks, ...hedged(plan.rest)];
}

/**
 * One of the models is paid for, or two if the first one may be late and get a second attempt beside it: then one of the two is the first. The
 * provider of the one that is given up may bill a whole reply.
 */
function paidTogether(
  call: UnroutedCall,
  { options }: Plan,
  models: readonly CatalogModel[],
): readonly (readonly CatalogModel[])[] {
  if (!mayHedge(call, models, options?.hedgeAmong)) return [models];
  const [first, ...others] = models;
  const isHedgedByItself = first!.deployments !== undefined || first!.provider.keys !== undefined;
  return [[first!], isHedgedByItself ? models : others];
}

interface CallSize {
  /** No tokenizer makes more tokens of a text than it has bytes. */
  readonly inputBytes: number;
  /** An estimate. */
  readonly inputTokens: number;
  readonly outputTokens: number;
}

function sizeOf(call: UnroutedCall, { defaultMaxTokens }: ReplyLength): CallSize {
  const { body, dialect, operation, passed, bodyText = '' } = call;
  const sent = passed?.body ?? bodyText;
  const bytes = typeof sent === 'string' ? Buffer.byteLength(sent) : sent.length;
  if (passed !== undefined || operation === 'embeddings') {
    const outputTokens = operation === 'embeddings' ? 0 : defaultMaxTokens;
    return { inputBytes: bytes, inputTokens: bytes, outputTokens };
  }
  const requirements = requirementsOf(body, dialect);
  const { inputTokens, maxOutputTokens = defaultMaxTokens } = requirements;
  const n = dialect === 'openai' && typeof body['n'] === 'number' ? Math.max(1, body['n']) : 1;
  return {
    inputBytes: hasMedia(requirements) ? inputTokens * MEDIA_FACTOR : bytes,
    inputTokens,
    outputTokens: maxOutputTokens * n,
  };
}

/** Their data are much longer than what they count as, and their addresses much shorter. */
function hasMedia({ images, audio }: Requirements): boolean {
  return images || audio;
}

function worstCost(model: CatalogModel, { inputBytes, inputTokens, outputTokens }: CallSize): CallCost {
  const output = Math.min(outputTokens, model.maxOutputTokens ?? outputTokens);
  return {
    ...callPlaceOf(model),
    nanoUsd: worstNanoUsd(model.price, inputBytes, output),
    tokens: inputTokens + output,
  };
}
