import type { CatalogModel, Provider } from '../../router/catalog/index.ts';
import type { RequestFacts } from '../../router/records/request-facts.ts';

const provider = (name: string, kind: Provider['kind']): Provider => ({
  name,
  kind,
  baseUrl: 'http://127.0.0.1:1/v1',
  apiKeyEnv: 'SOME_KEY',
  headers: {},
  passHeaders: [],
  dialects: ['openai'],
});

function model(id: string, from: Provider, price: CatalogModel['price']): CatalogModel {
  return {
    name: `${from.name}/${id}`,
    provider: from,
    id,
    price,
    contextWindow: undefined,
    maxOutputTokens: undefined,
    capabilities: new Set(),
    latencyClass: undefined,
    local: false,
  };
}

export const CHEAP = model('tiny', provider('vllm', 'openai-compatible'), { inputUsd: 1, outputUsd: 2 });
export const STRONG = model('huge', provider('google', 'google'), { inputUsd: 10, outputUsd: 40 });

/** A routed request whose cheap model failed once, and that the strong one answered. */
export function facts(changes: Partial<RequestFacts> = {}): RequestFacts {
  return {
    id: 'dec_1',
    startedAt: new Date('2026-12-01T12:00:00.000Z'),
    dialect: 'openai',
    operation: 'chat',
    stream: true,
    requestedModel: 'auto',
    selected: CHEAP,
    served: STRONG,
    reason: 'within-threshold',
    decision: {
      policy: { name: 'default', version: 3, sha256: 'f'.repeat(64) },
      verdict: 'PASS',
      ungatedReason: null,
      escalated: false,
      scores: { cheap: 0.5, strong: 0.75 },
      predictedLoss: 0.25,
      threshold: 0.3,
    },
    attempts: [
      { model: CHEAP.name, kind: 'first', outcome: 'overloaded', status: 503, ms: 12.3456789 },
      { model: CHEAP.name, kind: 'retry', outcome: 'timeout', ms: 100, waitedMs: 20 },
      { model: 'other/small', kind: 'fallback', outcome: 'skipped-price', ms: 0 },
      { model: STRONG.name, kind: 'fallback', outcome: 'answer', status: 200, ms: 30 },
    ],
    tags: ['team-a'],
    dropped: ['user', 'messages.0.name'],
    status: 200,
    ended: 'whole',
    usage: { inputTokens: 1_000, outputTokens: 500, cachedInputTokens: 100 },
    costUsd: 0.03,
    baselineCostUsd: 0.03,
    randomCostUsd: 0.016,
    overheadMs: 0.4,
    upstreamMs: 900,
    firstByteMs: 200,
    durationMs: 901,
    keyId: '0123456789ab',
    prompt: 'What did Ada write to Charles?',
    ...changes,
  };
}

/** A request that was refused before anything was chosen: most is not known. */
export function refusedFacts(): RequestFacts {
  const unknown = { selected: undefined, served: undefined, decision: undefined, usage: undefined };
  const times = {
    costUsd: undefined,
    baselineCostUsd: undefined,
    randomCostUsd: undefined,
    upstreamMs: undefined,
  };
  return facts({
    ...unknown,
    ...times,
    firstByteMs: undefined,
    keyId: undefined,
    tags: [],
    attempts: [],
    status: 400,
    reason: 'refused',
    dropped: undefined,
  });
}

/** Facts that carry what they must not, in every place that a careless caller could put it. */
export function withPlanted(secret: string): RequestFacts {
  const planted = { apiKey: secret, authorization: `Bearer ${secret}`, message: secret, body: secret };
  const clean = facts();
  return {
    ...clean,
    ...planted,
    attempts: clean.attempts.map((attempt) => ({ ...attempt, ...planted })),
    decision: { ...clean.decision!, ...planted },
    usage: { ...clean.usage!, ...planted },
    prompt: secret,
  } as RequestFacts;
}
