/**
 * The two inner loops of training, four rows at a time: a weight or an entry of the gradient that was loaded serves four rows, and
 * four independent sums let the processor overlap the additions. The order of summation is fixed, so the result is too.
 */
export const ROWS_AT_ONCE = 4;

/** out[k] = the row of `values` that begins at starts[k] . the weights of `x` that begin at `at`. */
export function dotFourRows(
  values: Float32Array,
  starts: Int32Array,
  length: number,
  x: Float64Array,
  at: number,
  out: Float64Array,
): void {
  const [a, b, c, d] = [starts[0]!, starts[1]!, starts[2]!, starts[3]!];
  let [za, zb, zc, zd] = [0, 0, 0, 0];
  for (let j = 0; j < length; j++) {
    const weight = x[at + j]!;
    za += values[a + j]! * weight;
    zb += values[b + j]! * weight;
    zc += values[c + j]! * weight;
    zd += values[d + j]! * weight;
  }
  out[0] = za;
  out[1] = zb;
  out[2] = zc;
  out[3] = zd;
}

/** Adds scales[k] times the row that begins at starts[k], for all four, to `into` from `at` on. */
export function addFourRows(
  values: Float32Array,
  starts: Int32Array,
  length: number,
  scales: Float64Array,
  into: Float64Array,
  at: number,
): void {
  const [a, b, c, d] = [starts[0]!, starts[1]!, starts[2]!, starts[3]!];
  const [ra, rb, rc, rd] = [scales[0]!, scales[1]!, scales[2]!, scales[3]!];
  for (let j = 0; j < length; j++) {
    into[at + j]! += ra * values[a + j]! + rb * values[b + j]! + (rc * values[c + j]! + rd * values[d + j]!);
  }
}
