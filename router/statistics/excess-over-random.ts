import { type LadderQuality, requireLadderQuality, requireRungs } from './input-checks.ts';

/**
 * Excess over random escalation at the same share: what the router's choice of cases is worth, apart from how many it escalates.
 *
 *   D = mean r - [(1 - s) mean q(cheap) + s mean q(strong)],   s = mean e
 *     = mean (r - q(cheap)) - mean e * mean g
 *
 * with e = 1 for a case above the cheapest rung and 0 else, g = q(strong) - q(cheap), r = q(routed). With two rungs r - q(cheap) = e g,
 * and D is the population covariance of escalation and gain, mean of (e - mean e) (g - mean g), in -1/2..1/2. 0 if all or none are
 * escalated, or escalation has nothing to do with gain; negative if the wrong cases are escalated.
 *
 * With more than two rungs the baseline is still the mix of the two ends: it sends each case to the strongest candidate with probability s
 * and to the cheapest else. So a case on a middle rung is set against the strongest candidate, which costs more: D asks
 * whether as many escalations to the very top, drawn by lot, would have been better, and is hard on middle rungs. O(n).
 *
 * D describes these cases. As an estimate for further ones it is off by -cov(e, g) / n, with two rungs the factor (n - 1) / n; the
 * values of pairedExcess are not, and a bound rests on them.
 *
 * @param qualityByRung what each candidate reached, cheapest first: [rung][case], 0..1
 * @param rungs the rung that routing chose for each case, shape [n]
 * @returns -1..1
 * @throws PlimsollError `invalid-input`: fewer than two rungs, no cases, different lengths, NaN, a quality outside 0..1, what is no rung
 *   of the ladder
 * @example excessOverRandom([[0, 0, 1, 1], [1, 1, 1, 1]], [1, 1, 0, 0]); // 0.25
 */
export function excessOverRandom(qualityByRung: LadderQuality, rungs: ArrayLike<number>): number {
  const { gained, escalated, gain } = comparison(qualityByRung, rungs);
  const n = rungs.length;
  let gainedTotal = 0;
  let escalatedTotal = 0;
  let gainTotal = 0;
  for (let i = 0; i < n; i++) {
    gainedTotal += gained[i]!;
    escalatedTotal += escalated[i]!;
    gainTotal += gain[i]!;
  }
  return gainedTotal / n - (escalatedTotal / n) * (gainTotal / n);
}

/**
 * The same excess, one value for each pair of neighbouring cases: independent values for a finite-sample bound of its mean.
 *
 *   h = (r[a] - q(cheap)[a] + r[b] - q(cheap)[b]) / 2 - (e[a] g[b] + e[b] g[a]) / 2,   a = 2i, b = 2i + 1
 *
 * Where the cases are drawn independently from one law, the expectation of h is D of that law: E e[a] g[b] = E e * E g, since a
 * and b are independent. With two rungs h = (e[a] - e[b]) (g[a] - g[b]) / 2. No case is in two pairs, so the values are independent.
 *
 * Range -1..1, for any ladder. Both on the cheapest rung: h = 0. Only a escalated: h = (r[a] - q(cheap)[a] - g[b]) / 2, two
 * differences of qualities, halved. Both escalated: h = (r[a] - q(strong)[a] + r[b] - q(strong)[b]) / 2, which is 0 with two rungs.
 *
 * Who is paired with whom must not depend on the outcomes: bring the cases into an order drawn by seed first. An odd last case
 * is left out. O(n).
 *
 * @param qualityByRung what each candidate reached, cheapest first: [rung][case], 0..1
 * @param rungs the rung that routing chose for each case, shape [n]
 * @returns shape [floor(n / 2)], each -1..1; undefined for a single case, which makes no pair
 * @throws PlimsollError `invalid-input`: as excessOverRandom
 * @see Hoeffding, A class of statistics with asymptotically normal distribution, Annals of Mathematical Statistics 19 (1948)
 *   (unbiased kernels, of which that of the covariance is one); the kernel for more than two rungs is ours
 * @example pairedExcess([[0, 1], [1, 1]], [1, 0]); // 0.5
 */
export function pairedExcess(
  qualityByRung: LadderQuality,
  rungs: ArrayLike<number>,
): Float64Array | undefined {
  const { gained, escalated, gain } = comparison(qualityByRung, rungs);
  if (rungs.length < 2) return undefined;
  return Float64Array.from({ length: Math.floor(rungs.length / 2) }, (_, i) => {
    const a = 2 * i;
    const b = a + 1;
    return (gained[a]! + gained[b]! - escalated[a]! * gain[b]! - escalated[b]! * gain[a]!) / 2;
  });
}

/** For each case r - q(cheap), e and g. */
function comparison(qualityByRung: LadderQuality, rungs: ArrayLike<number>) {
  requireLadderQuality(qualityByRung);
  const cheap = qualityByRung[0]!;
  const strong = qualityByRung[qualityByRung.length - 1]!;
  requireRungs('rungs', rungs, { length: cheap.length, rungCount: qualityByRung.length });
  return {
    gained: Float64Array.from(rungs, (rung, i) => qualityByRung[rung]![i]! - cheap[i]!),
    escalated: Float64Array.from(rungs, (rung) => (rung > 0 ? 1 : 0)),
    gain: Float64Array.from(cheap, (quality, i) => strong[i]! - quality),
  };
}
