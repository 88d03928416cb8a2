import type { CatalogModel } from '../catalog/index.ts';

/**
 * What a model lacks for a request, in words for a person: "images", "the field seed". Empty if it can take the request.
 * Every reason to leave a model out of routing belongs in here, so that the policy chooses among what is left.
 */
export type Lacks = (model: CatalogModel) => readonly string[];

/** A rung that cannot take a request. */
export interface ExcludedRung {
  readonly model: string;
  readonly lacks: readonly string[];
}

/** The rungs of a ladder, told apart by whether they can take a request. */
export interface AllowedRungs {
  /** Ascending from 0, the cheapest; may be empty. */
  readonly rungs: readonly number[];
  readonly excluded: readonly ExcludedRung[];
}

/** The rungs whose model can take the request: what the policy may choose among. @param ladder cheapest first */
export function allowedRungs(ladder: readonly CatalogModel[], lacks: Lacks): AllowedRungs {
  const rungs: number[] = [];
  const excluded: ExcludedRung[] = [];
  for (const [rung, model] of ladder.entries()) {
    const lacking = lacks(model);
    if (lacking.length === 0) rungs.push(rung);
    else excluded.push({ model: model.name, lacks: lacking });
  }
  return { rungs, excluded };
}
