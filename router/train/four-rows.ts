/**
 * The two inner loops of training: four rows for two heads at a time. An entry of the matrix that was loaded and widened serves both
 * heads, a weight or an entry of the gradient serves four rows, and independent sums let the processor overlap the additions.
 * The order of summation is fixed, so the result is too. Destructuring inside the loops would cost half of the speed.
 */
export const ROWS_AT_ONCE = 4;
export const HEADS_AT_ONCE = 2;
/** Results or scales of one step: the four rows of the first head, then those of the second. */
export const CELLS = ROWS_AT_ONCE * HEADS_AT_ONCE;

/** out = the rows of `values` that begin at `starts`, times the weights of `x` that begin at `first` and at `second`. */
export function dotFourRows(
  values: Float32Array,
  starts: Int32Array,
  length: number,
  x: Float64Array,
  first: number,
  second: number,
  out: Float64Array,
): void {
  const [a, b, c, d] = [starts[0]!, starts[1]!, starts[2]!, starts[3]!];
  let a1 = 0;
  let b1 = 0;
  let c1 = 0;
  let d1 = 0;
  let a2 = 0;
  let b2 = 0;
  let c2 = 0;
  let d2 = 0;
  for (let j = 0; j < length; j++) {
    const w1 = x[first + j]!;
    const w2 = x[second + j]!;
    const va = values[a + j]!;
    const vb = values[b + j]!;
    const vc = values[c + j]!;
    const vd = values[d + j]!;
    a1 += va * w1;
    b1 += vb * w1;
    c1 += vc * w1;
    d1 += vd * w1;
    a2 += va * w2;
    b2 += vb * w2;
    c2 += vc * w2;
    d2 += vd * w2;
  }
  out[0] = a1;
  out[1] = b1;
  out[2] = c1;
  out[3] = d1;
  out[4] = a2;
  out[5] = b2;
  out[6] = c2;
  out[7] = d2;
}

/** Adds the rows that begin at `starts` to `into`: times the first four scales from `first` on, times the others from `second` on. */
export function addFourRows(
  values: Float32Array,
  starts: Int32Array,
  length: number,
  scales: Float64Array,
  into: Float64Array,
  first: number,
  second: number,
): void {
  const [a, b, c, d] = [starts[0]!, starts[1]!, starts[2]!, starts[3]!];
  const [a1, b1, c1, d1] = [scales[0]!, scales[1]!, scales[2]!, scales[3]!];
  const [a2, b2, c2, d2] = [scales[4]!, scales[5]!, scales[6]!, scales[7]!];
  for (let j = 0; j < length; j++) {
    const va = values[a + j]!;
    const vb = values[b + j]!;
    const vc = values[c + j]!;
    const vd = values[d + j]!;
    into[first + j]! += a1 * va + b1 * vb + (c1 * vc + d1 * vd);
    into[second + j]! += a2 * va + b2 * vb + (c2 * vc + d2 * vd);
  }
}
