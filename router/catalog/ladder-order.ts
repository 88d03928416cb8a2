import type { CatalogModel, Price } from './types.ts';

/** A rung of a ladder, and the model that it names. */
export interface PricedRung {
  readonly candidate: string;
  readonly model: CatalogModel;
}

/** Input tokens for each output token, as price lists blend the two rates: most requests are longer than their replies. */
const INPUT_SHARE = 3;

/**
 * A sentence if a ladder contradicts the catalog's prices: a rung is dearer than one above it, at three tokens of input for one of output.
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

function isDearer({ model: { price: lower } }: PricedRung, { model: { price: upper } }: PricedRung): boolean {
  return lower !== undefined && upper !== undefined && blended(lower) > blended(upper);
}

function blended({ inputUsd, outputUsd }: Price): number {
  return INPUT_SHARE * inputUsd + outputUsd;
}

function shown({ candidate, model: { name, price } }: PricedRung): string {
  return `${candidate} (${name}, $${price?.inputUsd} in and $${price?.outputUsd} out a million tokens)`;
}
