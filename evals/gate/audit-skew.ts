import { mean } from '../../router/statistics/index.ts';
import { type Bets, decisionScores, predictedLosses } from '../threshold/index.ts';
import { losesMorePValue, unitLosses } from './batches.ts';
import { someBets } from './bets.ts';
import type { JudgedLabels } from './judged-labels.ts';
import type { Sealed } from './subject.ts';

/** The error at which all comparisons together take a random part for none. */
const SKEWED = 0.001;

/**
 * Whether people labelled another kind of cases than a random part of the judged ones, as if they had looked only at what the judge calls bad, or only at what is
 * escalated: their labels then say nothing of the judge's mistakes on the others. Compared are what the judge says each model loses against the strongest, and
 * the predicted loss. A part that was chosen by what people think shows in neither.
 * @returns what tells the two apart, as a note; undefined if nothing does
 */
export function auditSkew(
  { heldOut, bets, candidates }: Sealed,
  { judged, audited }: JudgedLabels,
): string | undefined {
  const strongest = heldOut.quality.length - 1;
  const measures = [
    ...heldOut.quality.slice(0, -1).map((quality, rung) => ({
      what: `the mean loss of ${candidates[rung]} against ${candidates[strongest]}, by the judge,`,
      values: quality.map((one, row) => heldOut.quality[strongest]![row]! - one),
    })),
    { what: 'the mean predicted loss', values: predictedLosses(decisionScores(heldOut)) },
  ];
  const delta = SKEWED / (2 * measures.length);
  for (const { what, values } of measures) {
    const part = (isAudited: number) =>
      someBets(bets, (row) => judged[row] === 1 && audited[row] === isAudited && !Number.isNaN(values[row]!));
    const [people, others] = [part(1), part(0)];
    if (!differ(people, others, values, delta)) continue;
    const [here, there] = [people, others].map((one) => meanOfRows(one, values).toFixed(4));
    return `WARNING: people did not label a random part of the judged cases: ${what} is ${here} in the ${people.rows.length} that they labelled and ${there} in the other ${others.rows.length} (p < ${SKEWED}), so that their labels prove nothing of those. Let them label a part that is drawn at random, as plimsoll review does`;
  }
  return undefined;
}

function differ(a: Bets, b: Bets, values: Float64Array, delta: number): boolean {
  if (a.rows.length === 0 || b.rows.length === 0) return false;
  const [ofA, ofB] = [a, b].map((one) =>
    Float64Array.from(unitLosses(one, values).flatMap((batch) => [...batch])),
  ) as [Float64Array, Float64Array];
  return losesMorePValue(ofA, ofB, delta) <= delta || losesMorePValue(ofB, ofA, delta) <= delta;
}

/** Each row once, whatever it weighs. */
function meanOfRows({ rows }: Bets, values: Float64Array): number {
  return mean(Float64Array.from(rows, (row) => values[row]!));
}
