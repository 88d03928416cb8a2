import type { CatalogModel } from '../catalog/index.ts';
import type { FailedAttempt } from '../providers/index.ts';
import { failureRule } from './failure-rules.ts';
import type { Skip } from './types.ts';

interface CandidateChoice {
  /** The routed rung, 0 the cheapest. */
  readonly rung: number;
  /** Cheapest first. */
  readonly ladder: readonly CatalogModel[];
  /** By name of a model: its equals, in the order in which they are asked when it fails. */
  readonly fallbacks: Readonly<Record<string, readonly CatalogModel[]>>;
  /** Whether a model can take the request. */
  readonly fits: (model: CatalogModel) => boolean;
  /** Whether cheaper rungs follow at the end, for when nothing else is left. Default false. */
  readonly allowDowngrade?: boolean;
}

/**
 * Whom to ask, in order: the routed model and its equals, then each stronger rung and its equals. Never a cheaper rung, unless
 * `allowDowngrade`: then those follow, the strongest of them first. What does not fit is left out. No model is in the list twice.
 */
export function candidatesFor(choice: CandidateChoice): CatalogModel[] {
  const { ladder, fallbacks, fits, allowDowngrade = false } = choice;
  const candidates: CatalogModel[] = [];

  function addRung(rung: number): void {
    const model = ladder[rung]!;
    add(model);
    fallbacks[model.name]?.forEach(add);
  }

  function add(model: CatalogModel): void {
    const known = candidates.some(({ name }) => name === model.name);
    if (!known && fits(model)) candidates.push(model);
  }

  for (let rung = choice.rung; rung < ladder.length; rung++) addRung(rung);
  for (let rung = choice.rung - 1; rung >= 0 && allowDowngrade; rung--) addRung(rung);
  return candidates;
}

/** Which candidates may still be asked, from what the ones before could not do. */
export interface CandidateFilter {
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
export function createCandidateFilter(
  first: CatalogModel | undefined,
  maxPriceFactor: number | undefined,
): CandidateFilter {
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
      const { remedy } = failureRule(failure);
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
