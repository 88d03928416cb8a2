import { fitsRequirements } from '../catalog/fits-requirements.ts';
import type { Requirements } from '../catalog/requirements.ts';
import type { CatalogModel } from '../catalog/types.ts';

/** Whether a model can do what the request needs. */
export type Fits = (model: CatalogModel, requirements: Requirements) => boolean;

/** The rungs whose model can do what the request needs, cheapest first: what is left to route among. May be empty. */
export function fittingRungs(
  ladder: readonly CatalogModel[],
  requirements: Requirements,
  fits: Fits = fitsRequirements,
): number[] {
  return ladder.flatMap((model, rung) => (fits(model, requirements) ? [rung] : []));
}

export interface CandidateChoice {
  /** The routed rung, 0 the cheapest. */
  readonly rung: number;
  /** Cheapest first. */
  readonly ladder: readonly CatalogModel[];
  /** By name of a model: its equals, in the order in which they are asked when it fails. */
  readonly fallbacks: Readonly<Record<string, readonly CatalogModel[]>>;
  readonly requirements: Requirements;
  readonly fits?: Fits;
  /** Whether cheaper rungs stand at the end, for when nothing else is left. Default false. */
  readonly allowDowngrade?: boolean;
}

/**
 * Whom to ask, in order: the routed model and its equals, then each stronger rung and its equals. Never a cheaper rung, unless
 * `allowDowngrade`: then those follow, the strongest of them first. What does not fit is left out; where nothing fits from the routed
 * rung up, the strongest that fits below takes its place. Empty where nothing fits at all. No model stands there twice.
 */
export function candidatesFor(choice: CandidateChoice): CatalogModel[] {
  const { ladder, fallbacks, requirements, fits = fitsRequirements, allowDowngrade = false } = choice;
  const candidates: CatalogModel[] = [];

  function addRung(rung: number): void {
    const model = ladder[rung]!;
    add(model);
    fallbacks[model.name]?.forEach(add);
  }

  function add(model: CatalogModel): void {
    const known = candidates.some(({ name }) => name === model.name);
    if (!known && fits(model, requirements)) candidates.push(model);
  }

  for (let rung = choice.rung; rung < ladder.length; rung++) addRung(rung);
  for (let rung = choice.rung - 1; rung >= 0 && (allowDowngrade || candidates.length === 0); rung--)
    addRung(rung);
  return candidates;
}
