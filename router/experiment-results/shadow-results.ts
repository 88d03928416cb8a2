import { z } from 'zod';
import { SHADOWED } from '../experiments/index.ts';
import { parseJson } from '../json/index.ts';
import { type Log, storedRecords } from '../state/index.ts';
import { seqBefore } from './results-feed.ts';

const shadowedSchema = z.object({
  schema_version: z.literal(1),
  experiment: z.string(),
  decision_id: z.string(),
  model: z.string(),
  outcome: z.enum(['replied', 'failed']),
  cost_usd: z.number().optional(),
  /** What the cap counts of a call of unknown usage: all that was reserved. */
  counted_usd: z.number().optional(),
  output_tokens: z.number().optional(),
  duration_ms: z.number(),
});

/** What one model did as a shadow. Means are of its replies; undefined if there is none. */
export interface ShadowedModel {
  readonly model: string;
  readonly requests: number;
  readonly failed: number;
  readonly spentUsd: number;
  readonly meanCostUsd: number | undefined;
  readonly meanDurationMs: number | undefined;
  readonly meanOutputTokens: number | undefined;
}

/** One result per model that was called since the start, in the order of their first calls. */
export async function shadowResults(
  log: Pick<Log, 'read'>,
  experiment: string,
  startedMs: number,
): Promise<readonly ShadowedModel[]> {
  const models = new Map<string, Tally>();
  const before = await seqBefore(log, SHADOWED, startedMs);
  for await (const { timeMs, body } of storedRecords(log, SHADOWED, before)) {
    const { data } = shadowedSchema.safeParse(parseJson(body));
    if (data?.experiment === experiment && timeMs >= startedMs) add(models, data);
  }
  return [...models].map(([model, tally]) => ({
    model,
    requests: tally.requests,
    failed: tally.failed,
    spentUsd: tally.cost.total + tally.countedUsd,
    meanCostUsd: meanOf(tally.cost),
    meanDurationMs: meanOf(tally.duration),
    meanOutputTokens: meanOf(tally.tokens),
  }));
}

interface Sum {
  n: number;
  total: number;
}

interface Tally {
  requests: number;
  failed: number;
  countedUsd: number;
  readonly cost: Sum;
  readonly duration: Sum;
  readonly tokens: Sum;
}

function add(models: Map<string, Tally>, record: z.infer<typeof shadowedSchema>): void {
  const sum = (): Sum => ({ n: 0, total: 0 });
  const tally = models.get(record.model) ?? {
    requests: 0,
    failed: 0,
    countedUsd: 0,
    cost: sum(),
    duration: sum(),
    tokens: sum(),
  };
  models.set(record.model, tally);
  tally.requests++;
  tally.countedUsd += record.counted_usd ?? 0;
  if (record.outcome === 'failed') {
    tally.failed++;
    return;
  }
  count(tally.cost, record.cost_usd);
  count(tally.duration, record.duration_ms);
  count(tally.tokens, record.output_tokens);
}

function count(sum: Sum, value: number | undefined): void {
  if (value === undefined) return;
  sum.n++;
  sum.total += value;
}

function meanOf({ n, total }: Sum): number | undefined {
  return n === 0 ? undefined : total / n;
}
