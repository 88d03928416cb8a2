import { type CatalogModel, costUsd } from '../../router/catalog/index.ts';
import { countIn, objectIn, objectsIn, textIn } from '../../router/json/index.ts';
import type { CaseRow } from '../cases/index.ts';
import { priceOf } from './call-cost.ts';
import type { GradedReply } from './journal.ts';

/** How the three APIs and Google's say that a reply reached the client's limit of tokens. */
const CUT_OFF: ReadonlySet<string> = new Set(['length', 'max_tokens', 'max_output_tokens', 'MAX_TOKENS']);

/** A reply that was paid for before, in production. */
export interface RecordedReply {
  /** `<provider>/<model>` of the candidate. */
  readonly model: string;
  readonly reply: GradedReply;
}

/**
 * The reply of a row that was captured, or imported from a log, as a reply of one candidate: it was paid for already. Candidates are
 * compared on equal terms, so it is taken only if it is whole, and no longer than the other candidates' replies may be.
 *
 * @param models whose replies are taken
 * @param maxTokens of the replies of this run
 * @returns undefined if the row has none that can be used
 */
export function recordedReply(
  row: CaseRow,
  models: readonly CatalogModel[],
  maxTokens: number,
): RecordedReply | undefined {
  const recorded = objectIn(row, 'reply');
  const name = textIn(recorded, 'model');
  const model = name === undefined ? undefined : candidateNamed(name, models);
  const text = textIn(recorded, 'text') ?? textIn(objectsIn(recorded, 'tool_calls')[0], 'input');
  const outputTokens = countIn(recorded, 'output_tokens');
  const finishReason = textIn(recorded, 'finish_reason');
  if (model === undefined || text === undefined) return undefined;
  if (finishReason !== undefined && CUT_OFF.has(finishReason)) return undefined;
  if ((outputTokens ?? 0) > maxTokens) return undefined;
  const inputTokens = countIn(recorded, 'input_tokens');
  const cost =
    inputTokens === undefined || outputTokens === undefined
      ? undefined
      : costUsd(priceOf(model), { inputTokens, outputTokens });
  const latencyMs = countIn(recorded, 'latency_ms');
  return {
    model: model.name,
    reply: {
      text,
      ...(finishReason !== undefined && { finish_reason: finishReason }),
      ...(inputTokens !== undefined && { input_tokens: inputTokens }),
      ...(outputTokens !== undefined && { output_tokens: outputTokens }),
      ...(cost !== undefined && { cost_usd: cost }),
      ...(latencyMs !== undefined && { latency_ms: latencyMs }),
    },
  };
}

/** Captured rows have `<provider>/<model>`; logs of a provider have its own name of the model, which must be that of one candidate only. */
function candidateNamed(name: string, models: readonly CatalogModel[]): CatalogModel | undefined {
  const exact = models.find((model) => model.name === name);
  if (exact !== undefined) return exact;
  const alike = models.filter((model) => model.id === name);
  return alike.length === 1 ? alike[0] : undefined;
}
