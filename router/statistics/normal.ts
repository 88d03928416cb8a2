import { requireNumbers } from './input-checks.ts';

/**
 * The standard normal distribution function P(X <= x), to about 1e-15; far below 0 to a relative error of 1e-8.
 * @see West, Better approximations to cumulative normal functions, Wilmott Magazine, May 2005 (after Hart 1968)
 * @example normalCdf(1.96); // .975
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  const z = Math.abs(x);
  if (z > 37) return x > 0 ? 1 : 0;
  const upper = z < 10 / Math.SQRT2 ? centralTail(z) : farTail(z);
  return x > 0 ? 1 - upper : upper;
}

function centralTail(z: number): number {
  const top = polynomial(
    [
      3.52624965998911e-2, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871,
      221.213596169931, 220.206867912376,
    ],
    z,
  );
  const bottom = polynomial(
    [
      8.83883476483184e-2, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674,
      637.333633378831, 793.826512519948, 440.413735824752,
    ],
    z,
  );
  return (Math.exp(-(z * z) / 2) * top) / bottom;
}

function farTail(z: number): number {
  const fraction = z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65))));
  return Math.exp(-(z * z) / 2) / fraction / Math.sqrt(2 * Math.PI);
}

/**
 * The x with normalCdf(x) = p, to a relative error of about 1e-9; refined once by Halley's rule.
 * @param p above 0 and below 1
 * @throws PlimsollError `invalid-input`: any other p
 * @see Acklam, An algorithm for computing the inverse normal cumulative distribution function, 2003
 * @example normalQuantile(0.975); // 1.96
 */
export function normalQuantile(p: number): number {
  requireNumbers('p', [p], { min: Number.MIN_VALUE, max: 1 - Number.EPSILON / 2 });
  if (p > 0.5) return -normalQuantile(1 - p);
  const rough = p < 0.02425 ? tailQuantile(Math.sqrt(-2 * Math.log(p))) : centralQuantile(p - 0.5);
  const error = (normalCdf(rough) - p) * Math.sqrt(2 * Math.PI) * Math.exp((rough * rough) / 2);
  return rough - error / (1 + (rough * error) / 2);
}

function centralQuantile(q: number): number {
  const square = q * q;
  const top = polynomial(
    [
      -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
      2.506628277459239,
    ],
    square,
  );
  const bottom = polynomial(
    [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
    square,
  );
  return (top * q) / bottom;
}

function tailQuantile(q: number): number {
  const top = polynomial(
    [
      -7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
      2.938163982698783,
    ],
    q,
  );
  const bottom = polynomial(
    [7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
    q,
  );
  return top / bottom;
}

/** Coefficients of the highest power first. */
function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, one) => sum * x + one, 0);
}
