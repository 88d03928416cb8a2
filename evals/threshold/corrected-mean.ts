import { type Bets, lossLowerBound, lossUpperBound, lossUpperBoundFrom, meanOfBets } from './walk.ts';

/**
 * A mean that a judge says about all cases and people of some: E[people] = E[judge] + E[people - judge]. The first term is known from all cases, the second from
 * those that people labelled too, a random part of what the judge labelled.
 */
export interface CorrectedMean {
  /** All cases. */
  readonly bets: Bets;
  /** What the judge says, -1..1 of each case. Of a case without a label of the judge's the trusted one. */
  readonly judged: Float64Array;
  /** Those of the bets that people labelled too. */
  readonly audited: Bets;
  /** People - judge, -spread..spread; read for audited cases alone. */
  readonly errors: Float64Array;
  /** The largest difference that there can be: 2 of losses, which may be -1 and 1; 1 of what either is or is not. */
  readonly spread: 1 | 2;
  /** Share of the cases that the judge labelled. If it is below 1 the others have no error, so that the mean error lies between 0 and that of the judged ones. */
  readonly share: number;
}

/** Bounds of the two terms, each at half of delta. */
export interface CorrectedBounds {
  readonly ofJudged: number;
  readonly ofErrors: number;
}

/** A bound of the judged cases' mean error holds for all cases too, if it is on the safe side of 0. */
function ofAll({ share }: CorrectedMean, bound: number, side: 1 | -1): number {
  return share < 1 ? side * Math.max(0, side * bound) : bound;
}

/** Rounding of a sum. */
const ROUNDING = 1e-12;

/**
 * Whether "the mean is at least `max`" is rejected at delta. The margin is not split beforehand: each term gets an upper bound at delta / 2, by a scan whose
 * limits are fixed, both hold at once with probability 1 - delta (union bound), and if their sum is at most the margin, so is the mean.
 * @param max in (0, 1]
 * @returns the bounds, if it is rejected
 */
export function rejectedBounds(mean: CorrectedMean, max: number, delta: number): CorrectedBounds | undefined {
  const { bets, judged, audited, errors, spread } = mean;
  if (audited.rows.length === 0) return undefined;
  const atLeast = meanOfBets(bets, judged) + ofAll(mean, meanOfBets(audited, errors), 1);
  if (atLeast > max) return undefined; // no bound is below its own mean
  const from = Math.min(1, 2 * max);
  const found = lossUpperBoundFrom(audited, scaled(errors, spread), delta / 2, from / spread);
  if (found === undefined) return undefined;
  const ofErrors = ofAll(mean, spread * found, 1);
  const ofJudged = lossUpperBoundFrom(bets, judged, delta / 2, from);
  return ofJudged !== undefined && ofJudged + ofErrors <= max + ROUNDING ? { ofJudged, ofErrors } : undefined;
}

/** The bounds to be shown if the mean is not rejected: by scans of all limits from the largest down. */
export function correctedUpperBounds(mean: CorrectedMean, delta: number): CorrectedBounds {
  const { bets, judged, audited, errors, spread } = mean;
  const ofErrors =
    audited.rows.length === 0 ? spread : spread * lossUpperBound(audited, scaled(errors, spread), delta / 2);
  return { ofJudged: lossUpperBound(bets, judged, delta / 2), ofErrors: ofAll(mean, ofErrors, 1) };
}

/** The mirror image of correctedUpperBounds. */
export function correctedLowerBounds(mean: CorrectedMean, delta: number): CorrectedBounds {
  const { bets, judged, audited, errors, spread } = mean;
  const ofErrors =
    audited.rows.length === 0 ? -spread : spread * lossLowerBound(audited, scaled(errors, spread), delta / 2);
  return { ofJudged: lossLowerBound(bets, judged, delta / 2), ofErrors: ofAll(mean, ofErrors, -1) };
}

/** The best guess of the mean. */
export function correctedValue({ bets, judged, audited, errors, share }: CorrectedMean): number {
  const error = audited.rows.length === 0 ? 0 : meanOfBets(audited, errors);
  return meanOfBets(bets, judged) + share * error;
}

function scaled(errors: Float64Array, spread: number): Float64Array {
  return spread === 1 ? errors : errors.map((error) => error / spread);
}
