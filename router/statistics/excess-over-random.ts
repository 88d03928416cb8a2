import { type LadderQuality, requireLadderQuality, requireRungs } from './input-checks.ts';

/**
 * Excess over random: what the router's choice of cases is worth, apart from how many it sends to each rung. The baseline deals the same
 * decisions out to the cases at random.
 *
 *   D = mean r - sum over rungs k of s[k] mean q[k],   s[k] = share of cases on rung k
 *     = mean (r - q[0]) - sum over k > 0 of s[k] mean g[k],   g[k] = q[k] - q[0]
 *
 * with q[k] the quality of rung k, 0 the cheapest, and r = q(routed). It is the mean quality minus its average over all permutations of
 * the decisions. With two rungs it is the height over random escalation at the same share, and the population covariance of escalation
 * and gain, in -1/2..1/2. 0 if all cases go to one rung, or if decisions have nothing to do with quality; negative if the wrong cases are
 * escalated.
 *
 * The shares are taken as they are. A router may deal well from shares that no one should want, such as one with a rung that is worse and
 * more expensive than another: where costs are known excessOverMix asks the harder question. O(rungs * n).
 *
 * D describes these cases. As an estimate for further ones it is off by the factor (n - 1) / n; the values of pairedExcess are not, and a
 * bound rests on them.
 *
 * @param qualityByRung what each candidate reached, cheapest first: [rung][case], 0..1
 * @param rungs the rung that routing chose for each case, shape [n]
 * @returns -1..1
 * @throws PlimsollError `invalid-input`: fewer than two rungs, no cases, different lengths, NaN, a quality outside 0..1, what is no rung
 *   of the ladder
 * @see Fisher, The design of experiments (1935), section 21 (the permutation distribution)
 * @example excessOverRandom([[0, 0, 1, 1], [1, 1, 1, 1]], [1, 1, 0, 0]); // 0.25
 */
export function excessOverRandom(qualityByRung: LadderQuality, rungs: ArrayLike<number>): number {
  requireComparable(qualityByRung, rungs);
  const n = rungs.length;
  let gainedTotal = 0;
  for (let i = 0; i < n; i++) gainedTotal += gainOf(qualityByRung, rungs[i]!, i);
  let excess = gainedTotal / n;
  for (let rung = 1; rung < qualityByRung.length; rung++) {
    let chosen = 0;
    let gainTotal = 0;
    for (let i = 0; i < n; i++) {
      if (rungs[i] === rung) chosen++;
      gainTotal += gainOf(qualityByRung, rung, i);
    }
    excess -= (chosen / n) * (gainTotal / n);
  }
  return excess;
}

/**
 * The same excess, one value for each pair of neighbouring cases: independent values for a finite-sample bound of its mean.
 *
 *   h = (r[a] + r[b]) / 2 - (q[rung of b][a] + q[rung of a][b]) / 2,   a = 2i, b = 2i + 1
 *
 * the two cases as they are routed, against the two with their decisions exchanged. Where the cases are drawn independently from one law,
 * the expectation of h is D of that law: E q[rung of a][b] = sum over k of s[k] E q[k], since a and b are independent. With two rungs
 * h = (e[a] - e[b]) (g[a] - g[b]) / 2, e = 1 for an escalated case. No case is in two pairs, so the values are independent. Range -1..1:
 * two differences of qualities, halved; 0 if both cases are on one rung.
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
  requireComparable(qualityByRung, rungs);
  if (rungs.length < 2) return undefined;
  return Float64Array.from({ length: Math.floor(rungs.length / 2) }, (_, i) => {
    const a = 2 * i;
    const b = a + 1;
    const [ofA, ofB] = [rungs[a]!, rungs[b]!];
    const routed = gainOf(qualityByRung, ofA, a) + gainOf(qualityByRung, ofB, b);
    return (routed - gainOf(qualityByRung, ofA, b) - gainOf(qualityByRung, ofB, a)) / 2;
  });
}

function requireComparable(qualityByRung: LadderQuality, rungs: ArrayLike<number>): void {
  requireLadderQuality(qualityByRung);
  requireRungs('rungs', rungs, { length: qualityByRung[0]!.length, rungCount: qualityByRung.length });
}

/** g: what a rung is better than the cheapest one on a case. */
function gainOf(qualityByRung: LadderQuality, rung: number, row: number): number {
  return qualityByRung[rung]![row]! - qualityByRung[0]![row]!;
}
