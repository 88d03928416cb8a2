import type { CatalogModel } from '../catalog/index.ts';
import type { FailedAttempt } from '../providers/index.ts';
import { ruleOf } from './failure-rules.ts';
import type { Skip } from './types.ts';

/** Which candidates may still be asked, from what the ones before could not do. */
export interface Eligible {
  /** Why the candidate must be skipped, or undefined. */
  skip(model: CatalogModel): Skip | undefined;
  /** Takes note of a failure. */
  note(model: CatalogModel, failed: FailedAttempt): void;
}

/**
 * After `context-window` only larger windows are left, after `content-filter` only other providers. A window that is not known
 * excludes nothing.
 * @param maxPriceFactor a candidate dearer than this times the first one's output price is skipped, and so is one whose price is
 * not known. There is no ceiling where it is left out, or where the first candidate's price is not known or 0.
 */
export function eligibleAfter(first: CatalogModel | undefined, maxPriceFactor: number | undefined): Eligible {
  const ceiling = ceilingOf(first, maxPriceFactor);
  const filteredBy = new Set<string>();
  let tooSmall = 0;
  return {
    skip(model) {
      if (filteredBy.has(model.provider.name)) return 'skipped-requirements';
      if (model.contextWindow !== undefined && model.contextWindow <= tooSmall) return 'skipped-requirements';
      const price = model.price?.outputUsd ?? Number.POSITIVE_INFINITY;
      return model !== first && price > ceiling ? 'skipped-price' : undefined;
    },
    note(model, { failure }) {
      const { remedy } = ruleOf(failure);
      if (remedy === 'other-provider') filteredBy.add(model.provider.name);
      if (remedy === 'larger-window') tooSmall = Math.max(tooSmall, model.contextWindow ?? 0);
    },
  };
}

function ceilingOf(first: CatalogModel | undefined, factor: number | undefined): number {
  const price = first?.price?.outputUsd;
  if (factor === undefined || price === undefined || price === 0) return Number.POSITIVE_INFINITY;
  return price * factor;
}
