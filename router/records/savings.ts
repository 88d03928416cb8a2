import { costUsd, type Price, type TokenCounts } from '../catalog/index.ts';

/**
 * What a request would have cost at the strongest candidate's price with the same tokens, in US dollars.
 *
 * An ESTIMATE, since the strongest model was not called: its reply would have had another length, its tokenizer counts the same text
 * differently, and how much of the prompt its provider read from its cache or wrote to it is taken over from the model that
 * replied.
 * @returns undefined if the price or the tokens are not known
 */
export function baselineCostUsd(
  strongest: Price | undefined,
  usage: TokenCounts | undefined,
): number | undefined {
  return costUsd(strongest, usage);
}

/** Replies that were paid for to judge another one, or that did not go out. */
interface Spent {
  readonly spent: readonly {
    readonly model: { readonly price: Price | undefined };
    readonly usage: TokenCounts | undefined;
  }[];
}

/** What they cost, in US dollars: 0 if there are none, undefined if one of them is not known. */
export function spentUsd({ spent }: Spent): number | undefined {
  let sum = 0;
  for (const { model, usage } of spent) {
    const cost = costUsd(model.price, usage);
    if (cost === undefined) return undefined;
    sum += cost;
  }
  return sum;
}

/**
 * What a request cost, in US dollars: the reply that went out, and what was spent besides. Undefined if one of them is not known.
 * @param abandoned attempts that were given up
 */
export function totalCostUsd(
  servedUsd: number | undefined,
  check: Spent | undefined,
  abandoned?: Spent['spent'],
): number | undefined {
  const others = check === undefined ? 0 : spentUsd(check);
  const givenUp = abandoned === undefined ? 0 : spentUsd({ spent: abandoned });
  if (servedUsd === undefined || others === undefined || givenUp === undefined) return undefined;
  return servedUsd + others + givenUp;
}

/** One candidate of the ladder. */
interface RungShare {
  readonly price: Price | undefined;
  /** Share of the routed requests that this rung was chosen for, 0 to 1; the shares of a ladder add up to 1. */
  readonly share: number;
}

/**
 * What a request would have cost on average, in US dollars, if rungs were drawn at random in the observed proportions:
 *
 *     sum over rungs of share * cost(rung's price, usage)
 *
 * It splits the saving in two: what choosing the cheap model so often saves by itself, and what choosing it for the right requests
 * adds in cost (routers keep long replies for the strong model) or in quality, which no cost shows.
 *
 * An ESTIMATE for the same reasons as `baselineCostUsd`, and because the shares are those so far: of n requests, each is off by about
 * sqrt(share * (1 - share) / n). A rung that was never chosen needs no price.
 * @returns undefined if a price of a rung with a share, or the tokens, are not known, or if no rung has a share
 */
export function randomCostUsd(
  rungs: readonly RungShare[],
  usage: TokenCounts | undefined,
): number | undefined {
  const chosen = rungs.filter(({ share }) => share > 0);
  if (chosen.length === 0) return undefined;
  let sum = 0;
  for (const { price, share } of chosen) {
    const cost = costUsd(price, usage);
    if (cost === undefined) return undefined;
    sum += share * cost;
  }
  return sum;
}

/** 1 - cost / other: the share of the other cost that was saved, at most 1, negative if it cost more. Undefined at 0 dollars. */
export function savedShare(costUsd: number, otherCostUsd: number): number | undefined {
  return otherCostUsd > 0 ? 1 - costUsd / otherCostUsd : undefined;
}

/** How often each model was chosen by routing since the start; for `randomCostUsd`. Explicit models do not count. */
export interface RungShares {
  /** @param model the name of the chosen rung's model */
  chose(model: string): void;
  /** 0 to 1; 0 for a model that was never chosen. */
  shareOf(model: string): number;
}

export function createRungShares(): RungShares {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    chose(model) {
      counts.set(model, (counts.get(model) ?? 0) + 1);
      total++;
    },
    shareOf: (model) => (counts.get(model) ?? 0) / Math.max(1, total),
  };
}
