import { type CatalogModel, placesOf } from '../catalog/index.ts';
import type { FailedAttempt } from '../exchange/index.ts';
import type { Skip } from './attempt-log.ts';
import { failureRule } from './failure-rules.ts';

interface CandidateChoice {
  /** The routed rung, 0 the cheapest. */
  readonly rung: number;
  /** Cheapest first. */
  readonly ladder: readonly CatalogModel[];
  /** Model name -> its equals, in the order in which they are called when it fails. */
  readonly fallbacks: Readonly<Record<string, readonly CatalogModel[]>>;
  /** Whether a model can take the request. */
  readonly fits: (model: CatalogModel) => boolean;
  /** Whether cheaper rungs follow at the end, when nothing else is left. Default false. */
  readonly allowDowngrade?: boolean;
}

/**
 * The models to call, in order: the routed model and its equals, then each stronger rung and its equals. Never a cheaper rung, unless
 * `allowDowngrade`: then those follow, the strongest of them first. Models that do not fit are left out, and none is listed twice.
 */
export function candidatesFor(choice: CandidateChoice): CatalogModel[] {
  const { rung, ladder, fallbacks, fits, allowDowngrade = false } = choice;
  const candidates: CatalogModel[] = [];

  function add(model: CatalogModel): void {
    const listed = candidates.some(({ name }) => name === model.name);
    if (!listed && fits(model)) candidates.push(model);
  }

  const cheaper = allowDowngrade ? ladder.slice(0, rung).reverse() : [];
  for (const model of [...ladder.slice(rung), ...cheaper]) {
    add(model);
    fallbacks[model.name]?.forEach(add);
  }
  return candidates;
}

/** Skips candidates that cannot do better than those that failed. */
export interface CandidateFilter {
  /** Why the candidate must be skipped, or undefined. */
  skip(model: CatalogModel): Skip | undefined;
  noteFailure(model: CatalogModel, failed: FailedAttempt): void;
}

/**
 * After `context-window` only larger windows are left, after `content-filter` only other providers. An unknown window excludes nothing.
 * @param maxPriceFactor skips candidates whose output price is unknown or more than this times the first one's. There is no ceiling if
 *   it is left out, or if the first candidate's price is unknown or 0
 */
export function createCandidateFilter(
  first: CatalogModel | undefined,
  maxPriceFactor: number | undefined,
): CandidateFilter {
  const ceiling = priceCeiling(first, maxPriceFactor);
  const filteringProviders = new Set<string>();
  let largestTooSmall = 0;
  return {
    skip(model) {
      if (placesOf(model).every(({ provider }) => filteringProviders.has(provider.name)))
        return 'skipped-requirements';
      if (model.contextWindow !== undefined && model.contextWindow <= largestTooSmall)
        return 'skipped-requirements';
      const price = model.price?.outputUsd ?? Number.POSITIVE_INFINITY;
      return model !== first && price > ceiling ? 'skipped-price' : undefined;
    },
    noteFailure(model, { failure }) {
      const { remedy } = failureRule(failure);
      if (remedy === 'other-provider') filteringProviders.add(model.provider.name);
      if (remedy === 'larger-window') largestTooSmall = Math.max(largestTooSmall, model.contextWindow ?? 0);
    },
  };
}

function priceCeiling(first: CatalogModel | undefined, factor: number | undefined): number {
  const price = first?.price?.outputUsd;
  if (factor === undefined || price === undefined || price === 0) return Number.POSITIVE_INFINITY;
  return price * factor;
}
