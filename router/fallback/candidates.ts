import type { CatalogModel } from '../catalog/index.ts';

export interface CandidateChoice {
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
