import type { CatalogModel } from '../../router/catalog/index.ts';
import { mean } from '../../router/statistics/index.ts';
import { keyOf } from './call-model.ts';
import {
  ENOUGH_REPLIES,
  type Forecast,
  type ForecastCall,
  forecast,
  inputTokensOf,
  type SeenReply,
} from './forecast.ts';
import type { Journal, JournalReply } from './journal.ts';
import type { LabelRow } from './rows.ts';

interface ForecastedRun {
  readonly rows: readonly LabelRow[];
  /**
   * This many, from the first on, are all finished, and the forecast rests on them alone: of those behind them the short replies are there and the long ones are not yet.
   * Undefined: nothing is at work.
   */
  readonly finished: number | undefined;
  /** The candidates. */
  readonly models: readonly CatalogModel[];
  readonly judge: CatalogModel | undefined;
  readonly journal: Pick<Journal, 'replies'>;
  readonly spentUsd: number;
  readonly maxTokens: number;
  /** Calls at work at once, for each provider. */
  readonly concurrency: number;
}

/** What a run will take, by what the rows bring and the journal has by now. */
export function forecastRun(run: ForecastedRun): Forecast {
  const { rows, finished = rows.length, models, journal, spentUsd, maxTokens, concurrency } = run;
  const seen = new SeenReplies();
  const toAsk: ForecastCall[] = [];
  const recordedTokens: number[] = [];
  const known = new Set<string>();
  let recorded = 0;
  for (const [at, { one, body, recorded: given }] of rows.entries()) {
    if (given?.reply.output_tokens !== undefined) recordedTokens.push(given.reply.output_tokens);
    for (const model of models) {
      const key = keyOf({ model: model.name, caseId: one.id, purpose: 'candidate', body });
      const reply = journal.replies.get(key);
      if (reply !== undefined) {
        known.add(key);
        if (at < finished) seen.add(reply, inputTokensOf({ body }));
      } else if (given?.model === model.name) recorded++;
      else toAsk.push({ model, body });
    }
  }
  for (const reply of journal.replies.values()) if (!known.has(reply.key)) seen.add(reply, undefined);
  toAsk.push(...judgeCalls(run, seen));
  return forecast({
    rows: rows.length,
    toAsk,
    replies: seen.byModel,
    known: known.size,
    recorded,
    recordedTokens: recordedTokens.length < ENOUGH_REPLIES ? undefined : mean(recordedTokens),
    spentUsd,
    maxTokens,
    concurrency,
  });
}

class SeenReplies {
  readonly byModel = new Map<string, SeenReply[]>();

  add(reply: JournalReply, inputTokens: number | undefined): void {
    const those = this.byModel.get(reply.model) ?? [];
    those.push({ reply, inputTokens });
    this.byModel.set(reply.model, those);
  }
}

/** Calls of the judge, whose prompts are not known before the replies: about the request and two replies of half the longest. */
function judgeCalls({ rows, models, judge, maxTokens }: ForecastedRun, seen: SeenReplies): ForecastCall[] {
  if (judge === undefined) return [];
  const calls = rows.flatMap(({ grader, one }) => {
    const content = `${one.text}${' word'.repeat(maxTokens)}`;
    const body = { messages: [{ role: 'user', content }], max_tokens: maxTokens };
    return Array.from({ length: grader.judgeCalls(models.length) }, () => ({ model: judge, body }));
  });
  return calls.slice(seen.byModel.get(judge.name)?.length ?? 0);
}
