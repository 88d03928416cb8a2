import { type CatalogModel, EFFORTS, type Price } from './types.ts';

/** A rung of a ladder, and the model that it names. */
export interface PricedRung {
  readonly candidate: string;
  readonly model: CatalogModel;
}

/** Input tokens for each output token, as price lists blend the two rates: most requests are longer than their replies. */
const INPUT_SHARE = 3;

/**
 * A sentence if a ladder contradicts the catalog's prices: a rung is dearer than one above it, at three tokens of input for one of output, or is
 * the same model with more effort.
 * Undefined if it does not. Rungs whose price is not known are not compared.
 * @param field of the configuration that has the ladder
 * @param rungs cheapest first, as the ladder has them
 */
export function ladderOrderWarning(field: string, rungs: readonly PricedRung[]): string | undefined {
  const faults = rungs.flatMap((lower, at) =>
    rungs
      .slice(at + 1)
      .flatMap((upper) => (isDearer(lower, upper) ? [`${shown(lower)} is dearer than ${shown(upper)}`] : [])),
  );
  if (faults.length === 0) return undefined;
  return `${field} is in another order than the prices: ${faults.join('; ')}. Name the rungs cheapest first, or correct the prices under models.`;
}

function isDearer({ model: lower }: PricedRung, { model: upper }: PricedRung): boolean {
  if (lower.price === undefined || upper.price === undefined) return false;
  // Minutes and tokens do not compare: people are dearer than models, unless the ladder is in the other order.
  if (lower.price.work !== undefined || upper.price.work !== undefined)
    return lower.price.work !== undefined && upper.price.work === undefined;
  return blended(lower.price) > blended(upper.price) || thinksMore(lower, upper);
}

/** One model at two efforts has one price for a token, and more tokens at the higher one. */
function thinksMore(lower: CatalogModel, upper: CatalogModel): boolean {
  if (lower.effort === undefined || upper.effort === undefined) return false;
  const isSame = lower.id === upper.id && lower.provider.name === upper.provider.name;
  return isSame && EFFORTS.indexOf(lower.effort) > EFFORTS.indexOf(upper.effort);
}

function blended({ inputUsd, outputUsd }: Price): number {
  return INPUT_SHARE * inputUsd + outputUsd;
}

function shown({ candidate, model: { name, price } }: PricedRung): string {
  return `${candidate} (${name}, $${price?.inputUsd} in and $${price?.outputUsd} out a million tokens)`;
}
