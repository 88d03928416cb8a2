import { type Catalog, costUsd, isHuman, type TokenCounts } from '../../router/catalog/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import type { DecidedAgain, Router } from '../../router/router.ts';
import { Undecidable } from './undecidable.ts';
import type { EndedRecord } from './work-of-people.ts';

type Prices = Pick<Catalog, 'has' | 'get'>;

/** The reply of a cascade that would go out. */
export interface JudgedReply {
  readonly candidate: string;
  readonly model: string;
  /** Models whose replies would be judged before, and not go out. */
  readonly tried: readonly string[];
}

/**
 * Which reply of a cascade goes out, by how the replies were judged then.
 * @throws Undecidable if one of them was not
 */
export function judgedReply(
  { cascade }: DecisionRecord,
  { decision, checked }: DecidedAgain,
  rungs: Router['ladder'],
): JudgedReply {
  const looks = cascade === undefined ? [] : [...(cascade.earlier ?? []), cascade];
  const tried: string[] = [];
  for (const rung of checked) {
    const { candidate, model } = rungs[rung]!;
    const look = looks.find((one) => one.model === model);
    if (look === undefined || decision.threshold === null) throw new Undecidable('reply-not-judged');
    const byLoss = look.escalated === undefined || look.escalated === 'loss';
    if (byLoss && look.reply_loss === undefined) throw new Undecidable('reply-not-judged');
    if (byLoss && look.reply_loss! <= decision.threshold) return { candidate, model, tried };
    tried.push(model);
  }
  const { candidate, model } = rungs.at(-1)!;
  return { candidate, model, tried };
}

/**
 * With the recorded tokens: those of the model's own reply where there was one, else those of the reply that went out. People who got the request then
 * take the minutes that they took; else the usual ones.
 */
export function plannedCost(
  record: EndedRecord,
  to: string,
  outcome: JudgedReply | undefined,
  catalog: Prices,
): number | undefined {
  if (isHuman(to) && to === record.selected) return costOfPeople(record, to, catalog);
  const spent = record.cascade?.spent ?? [];
  const ownReply = spent.find(({ model }) => model === to);
  const served = to === record.selected ? (record.served ?? to) : to;
  const reply = costOf(served, ownReply?.usage ?? record.usage, catalog);
  const others =
    outcome === undefined
      ? 0
      : spentUsd(
          outcome.tried.map((model) => ({
            model,
            usage: spent.find((one) => one.model === model)?.usage ?? record.usage,
          })),
          catalog,
        );
  return reply === undefined || others === undefined ? undefined : reply + others;
}

/** Undefined if it is not known what their work took: they have not ended yet, or it is not on record. */
function costOfPeople(
  { served, usage, workMinutes, status, people_task: task }: EndedRecord,
  to: string,
  catalog: Prices,
): number | undefined {
  const rate = catalog.has(to) ? catalog.get(to).price?.work?.costPerMinuteUsd : undefined;
  const isByModel = served !== undefined && !isHuman(served);
  const reply = isByModel ? costOf(served, usage, catalog) : 0;
  if (rate === undefined || reply === undefined) return undefined;
  if (workMinutes !== undefined) return workMinutes * rate + reply;
  if (isByModel && task === undefined) return reply; // the queue was full
  // Of a client that waited the record says what it cost, and of the others nothing.
  return status === 200 && !isByModel ? costOf(to, usage, catalog) : undefined;
}

/** What the reply of a model would have cost with the tokens that were recorded, in US dollars; undefined if price or tokens are not known. */
export function costOf(model: string, usage: DecisionRecord['usage'], catalog: Prices): number | undefined {
  if (!catalog.has(model)) return undefined;
  return costUsd(catalog.get(model).price, usage && tokensOf(usage));
}

/** What the replies that did not go out came to. */
function spentUsd(
  spent: NonNullable<DecisionRecord['cascade']>['spent'],
  catalog: Prices,
): number | undefined {
  let sum = 0;
  for (const { model, usage } of spent ?? []) {
    const cost = costOf(model, usage, catalog);
    if (cost === undefined) return undefined;
    sum += cost;
  }
  return sum;
}

function tokensOf(usage: NonNullable<DecisionRecord['usage']>): TokenCounts | undefined {
  const { input_tokens: inputTokens, output_tokens: outputTokens } = usage;
  if (inputTokens === null || outputTokens === null) return undefined;
  return {
    inputTokens,
    outputTokens,
    ...(usage.cached_input_tokens != null && { cachedInputTokens: usage.cached_input_tokens }),
    ...(usage.cache_write_input_tokens != null && { cacheWriteInputTokens: usage.cache_write_input_tokens }),
    ...(usage.cache_write_1h_input_tokens != null && {
      cacheWrite1hInputTokens: usage.cache_write_1h_input_tokens,
    }),
  };
}
