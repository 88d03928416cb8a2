import fc from 'fast-check';

/** Scores and paired qualities of the same cases. */
export interface RoutingCases {
  readonly scores: readonly number[];
  readonly cheap: readonly number[];
  readonly strong: readonly number[];
}

const quality = fc.integer({ min: 0, max: 20 }).map((twentieths) => twentieths / 20);

/** Small sets of cases with many ties, of any gap. */
export const routingCases: fc.Arbitrary<RoutingCases> = fc
  .array(fc.tuple(fc.integer({ min: -4, max: 4 }), quality, quality), { minLength: 1, maxLength: 40 })
  .map((rows) => ({
    scores: rows.map(([score]) => score),
    cheap: rows.map(([, cheap]) => cheap),
    strong: rows.map(([, , strong]) => strong),
  }));

/** The same, where the strong candidate is the better one on average: by a twentieth of one case at least. */
export const casesWithGap = routingCases.filter(
  ({ cheap, strong }) => strong.reduce((gap, q, i) => gap + q - cheap[i]!, 0) > 0.01,
);
