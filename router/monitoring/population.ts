import { z } from 'zod';

/** The requests that a verdict is of, as counts: no text, and no request by itself. */
export const populationSchema = z.strictObject({
  /** Requests that are counted. */
  n: z.int().min(0),
  features: z.array(
    z
      .strictObject({
        name: z.string().min(1),
        /** Ascending. A value falls into the bin whose number is the count of edges below it. */
        edges: z.array(z.number()).min(1),
        /** One more than edges. */
        counts: z.array(z.int().min(0)).min(2),
      })
      .refine(({ edges, counts }) => counts.length === edges.length + 1, 'counts must be one more than edges')
      .refine(({ edges }) => edges.every((edge, i) => i === 0 || edge > edges[i - 1]!), 'edges must ascend'),
  ),
});

export type Population = z.infer<typeof populationSchema>;

const BINS = 10;

/** What is counted of a request besides its structural features. */
export const PREDICTED_LOSS = 'predicted_loss';
export const UNSCORED = 'unscored';
/** Whether it is like nothing that was labelled; of artifacts that abstain from such requests. */
export const NOTHING_SIMILAR = 'nothing_similar';

/** The names of a request's values, in their order. @param structural names of the artifact's structural features */
export function featureNames(structural: readonly string[]): string[] {
  return [PREDICTED_LOSS, UNSCORED, NOTHING_SIMILAR, ...structural];
}

/** What is known about a request once it is decided. */
export interface ScoredRequest {
  /** Null if it was not scored. */
  readonly predictedLoss: number | null;
  /** Undefined if the artifact does not abstain from what is like nothing that was labelled. */
  readonly nothingSimilar: boolean | undefined;
}

/** @returns in the order of `featureNames`, NaN for what is not known */
export function featureValues(
  { predictedLoss, nothingSimilar }: ScoredRequest,
  structural: ArrayLike<number>,
): Float64Array {
  const values = new Float64Array(3 + structural.length);
  values[0] = predictedLoss ?? Number.NaN;
  values[1] = predictedLoss === null ? 1 : 0;
  values[2] = nothingSimilar === undefined ? Number.NaN : Number(nothingSimilar);
  values.set(structural, 3);
  return values;
}

/**
 * Every second row gives the edges, tenths of its values, and the others are counted: a drift test needs bins that do not depend on the counts.
 * @param names of the columns
 * @param rows in an order that does not depend on them; NaN is left out
 * @returns without the features of which there are no values
 */
export function describePopulation(names: readonly string[], rows: readonly ArrayLike<number>[]): Population {
  const features = names.flatMap((name, column) => {
    const values = (parity: number) =>
      rows
        .filter((_, i) => i % 2 === parity)
        .map((row) => row[column]!)
        .filter((value) => !Number.isNaN(value));
    const edges = tenths(values(0));
    if (edges.length === 0) return [];
    const counts = new Array<number>(edges.length + 1).fill(0);
    for (const value of values(1)) counts[binOf(edges, value)]!++;
    return [{ name, edges, counts }];
  });
  return { n: Math.floor(rows.length / 2), features };
}

/** Distinct values that part the others into ten bins at most. */
function tenths(values: readonly number[]): number[] {
  if (values.length === 0) return [];
  const ascending = Float64Array.from(values).sort();
  const cuts = Array.from(
    { length: BINS - 1 },
    (_, i) => ascending[Math.floor(((i + 1) * ascending.length) / BINS)]!,
  );
  return [...new Set(cuts)];
}

export function binOf(edges: readonly number[], value: number): number {
  let bin = 0;
  while (bin < edges.length && edges[bin]! < value) bin++;
  return bin;
}
