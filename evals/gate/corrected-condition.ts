import type { Condition } from '../../router/artifact/index.ts';
import { differenceBound, QUALITY_TOLERANCE } from '../../router/statistics/index.ts';
import {
  type Bets,
  type CorrectedMean,
  correctedLowerBounds,
  correctedUpperBounds,
  correctedValue,
  lossUpperBound,
  meanOfBets,
  rejectedBounds,
  type WalkTest,
} from '../threshold/index.ts';
import { someBets } from './bets.ts';
import { enclosing, type Further, smallest, unmeasured } from './judge.ts';
import type { JudgedLabels } from './judged-labels.ts';
import { agreeing, countLabelled, lossOf, scaleOf, unsureNote, WORST, withNotes } from './losses.ts';
import { dependenceNote } from './repeats.ts';
import type { Sealed, Subject } from './subject.ts';

/** A mean that a margin limits: over which cases, and of what. */
export interface CorrectedParts {
  readonly name: string;
  readonly max: number;
  readonly bets: Bets;
  readonly merged: Bets | undefined;
  /** Cases that may be of the slice or not. */
  readonly isUnsure?: (row: number) => boolean;
  /** Which labels these lack, in words. */
  readonly unsureLabels?: string;
  /** A loss above this counts as 1 and any other as 0; left out, the loss itself counts. */
  readonly downgradeAbove?: number;
}

/**
 * A condition of the promise where a judge labelled all cases and people a part of them (`evals/threshold/corrected-mean.ts`). Cases that came in several
 * batches must keep to the limit in both orders: as they came, and as one batch.
 *
 * A case that may be of the slice or not counts as at least the limit by the judge, and as no error in the judge's disfavour: if it is in the slice, that is no
 * less than what people see, and if it is not, the sum of what the cases stray from the limit only grows.
 */
export function correctedCondition(
  sealed: Sealed,
  labels: JudgedLabels,
  { name, max, bets, merged, isUnsure = () => false, unsureLabels = '', downgradeAbove }: CorrectedParts,
): WalkTest & { describe(subject: Subject): Condition } {
  const { heldOut } = sealed;
  const { delta, limit, ofAll } = scaleOf(sealed, max);
  const measure = (quality: readonly Float64Array[], row: number, rung: number, unknown: number) => {
    const loss = lossOf({ quality }, row, rung, unknown);
    return downgradeAbove === undefined ? loss : Number(loss > downgradeAbove + QUALITY_TOLERANCE);
  };
  const spread = downgradeAbove === undefined ? 2 : 1;
  const isAudited = (row: number) => labels.audited[row] === 1;
  const orders = [bets, ...(merged === undefined ? [] : [merged])].map((all) => ({
    all,
    audited: someBets(all, isAudited),
  }));
  const judgedRows = countIn(bets, (row) => labels.judged[row] === 1);
  const share = bets.rows.length === 0 ? 0 : meanOfBets(bets, labels.judged);
  const people = countIn(bets, isAudited);
  const unsure = countIn(bets, isUnsure);
  const judgedOf = (row: number, rung: number, unknown: number) => {
    const judged = measure(heldOut.quality, row, rung, unknown);
    return isUnsure(row) ? Math.max(judged, limit) : judged;
  };
  const errorOf = (row: number, rung: number, unknown: number) => {
    if (!isAudited(row)) return 0;
    const error = measure(labels.people, row, rung, unknown) - measure(heldOut.quality, row, rung, unknown);
    return isUnsure(row) ? Math.max(error, 0) : error;
  };
  const columns = (rungOf: (row: number) => number, unknown: number) => ({
    judged: Float64Array.from({ length: heldOut.n }, (_, row) => judgedOf(row, rungOf(row), unknown)),
    errors: Float64Array.from({ length: heldOut.n }, (_, row) => errorOf(row, rungOf(row), unknown)),
  });
  const meansOf = (values: Pick<CorrectedMean, 'judged' | 'errors'>): CorrectedMean[] =>
    orders.map(({ all, audited }) => ({ bets: all, audited, ...values, spread, share }));
  const rejected = (means: readonly CorrectedMean[]) =>
    means.every((mean) => rejectedBounds(mean, limit, delta) !== undefined);
  const strongest = heldOut.quality.length - 1;
  const now = columns(() => strongest, WORST);
  return {
    name,
    move(row, _, to) {
      now.judged[row] = judgedOf(row, to, WORST);
      now.errors[row] = errorOf(row, to, WORST);
    },
    holds: () => bets.rows.length > 0 && rejected(meansOf(now)),
    describe({ rungs }) {
      const base = {
        name,
        limits: { max },
        confidence: 1 - sealed.delta,
        method: 'betting, corrected by people',
        n: countLabelled(heldOut, bets.rows),
        proof: 'walk' as const,
      };
      if (bets.rows.length === 0) return unmeasured(base, 'no case to measure');
      const worst = columns((row) => rungs[row]!, WORST);
      const means = meansOf(worst);
      const [mean] = means as [CorrectedMean];
      const provable = rejected(meansOf(columns(() => strongest, WORST)));
      const passes = provable && rejected(means);
      const parts = worstOf(
        means.map((one) => (passes ? rejectedBounds(one, limit, delta)! : correctedUpperBounds(one, delta))),
      );
      const lowerParts = correctedLowerBounds(meansOf(columns((row) => rungs[row]!, -WORST))[0]!, delta);
      const bounds = ofAll.bounds({
        lower: Math.max(downgradeAbove === undefined ? -1 : 0, lowerParts.ofJudged + lowerParts.ofErrors),
        upper: Math.min(1, parts.ofJudged + parts.ofErrors),
      });
      const value = ofAll.value(correctedValue(mean));
      const verdict = passes ? 'PASS' : bounds.lower > max ? 'FAIL' : 'INCONCLUSIVE';
      return {
        ...base,
        verdict,
        value,
        bounds: agreeing(verdict, enclosing(value, bounds), max),
        judged: {
          judged: judgedRows,
          people,
          judged_upper: parts.ofJudged,
          error_upper: parts.ofErrors,
          people_upper:
            share < 1 || people === 0 ? null : Math.max(...means.map((one) => peopleAlone(one, delta))),
        },
        ...withNotes([
          unsure === 0 ? {} : { note: unsureNote(unsure, unsureLabels) },
          verdict === 'INCONCLUSIVE' ? morePeople(people, limit, delta, spread) : {},
          dependenceNote(heldOut, bets),
          sealed.below?.repeats === undefined ? {} : { note: sealed.below.repeats },
        ]),
      };
    },
  };
}

/** The bound that the cases of people alone give, at all of delta. Of the labelled part, if only that is labelled. */
function peopleAlone({ audited, judged, errors }: CorrectedMean, delta: number): number {
  return lossUpperBound(
    audited,
    judged.map((loss, row) => loss + errors[row]!),
    delta,
  );
}

function worstOf(bounds: readonly { readonly ofJudged: number; readonly ofErrors: number }[]) {
  return bounds.reduce((a, b) => (a.ofJudged + a.ofErrors >= b.ofJudged + b.ofErrors ? a : b));
}

function countIn({ rows }: Bets, wanted: (row: number) => boolean): number {
  return Array.from(rows).filter(wanted).length;
}

/** Where even a judge without mistakes, of a policy that loses nothing, would not do. */
function morePeople(people: number, limit: number, delta: number, spread: number): Further {
  const proves = (n: number) =>
    n > 0 && differenceBound.pValue(new Float64Array(n), Math.min(1, limit / spread), delta / 2) <= delta / 2;
  if (proves(people)) return {};
  const needed = smallest(proves);
  const atLeast = needed === undefined ? 'more than a million' : `at least ${needed}`;
  return {
    note: `too few labels by people: there are ${people}, and it takes ${atLeast}, even if the judge makes no mistake`,
  };
}
