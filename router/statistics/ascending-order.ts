/** Below this many values a comparison sort is faster than clearing the counters. */
const FEWEST_COUNTED = 4096;
const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;

/**
 * The indexes of numbers by rising value; equal numbers keep their order, and 0 and -0 are equal. For many numbers a radix sort over the
 * upper half of their bits, in which few but equal numbers agree; those that do are compared. O(n) then, 20 bytes a number.
 *
 * @param values no NaN; infinities are allowed. Shape [n]
 * @returns shape [n]
 * @see Knuth, The art of computer programming, volume 3, section 5.2.5 (radix sorting)
 * @example ascendingOrder([0.5, 0.1, 0.5]); // 1, 0, 2
 */
export function ascendingOrder(values: ArrayLike<number>): Uint32Array {
  const n = values.length;
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  const rising = (a: number, b: number) => (values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0);
  if (n < FEWEST_COUNTED) return order.sort(rising);
  const keys = risingKeys(values);
  sortByDigits(keys, order);
  for (let start = 0; start < n; ) {
    const first = values[order[start]!]!;
    let end = start + 1;
    let equal = true;
    for (; end < n && keys[end] === keys[start]; end++) equal &&= values[order[end]!] === first;
    if (!equal) order.subarray(start, end).sort(rising);
    start = end;
  }
  return order;
}

/**
 * The upper 32 bits of each number, changed so that they rise with it: IEEE 754 puts the exponent above the fraction, so a positive
 * number has its sign to flip, and a negative one all its bits. Shape [n]
 */
function risingKeys(values: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  const keys = new Uint32Array(values.length);
  const bits = new DataView(new ArrayBuffer(8));
  for (let i = 0; i < keys.length; i++) {
    bits.setFloat64(0, values[i]! + 0); // -0 + 0 is 0
    const upper = bits.getUint32(0);
    keys[i] = upper >>> 31 ? ~upper : upper | 0x80000000;
  }
  return keys;
}

/** Sorts keys, and with them the indexes, by the lower and then the upper half of each key. Equal keys keep their order. */
function sortByDigits(keys: Uint32Array<ArrayBuffer>, indexes: Uint32Array<ArrayBuffer>): void {
  const n = keys.length;
  let [fromKeys, fromIndexes] = [keys, indexes];
  let [toKeys, toIndexes] = [new Uint32Array(n), new Uint32Array(n)];
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const places = new Uint32Array(DIGITS + 1);
    for (let i = 0; i < n; i++) places[((fromKeys[i]! >>> shift) & (DIGITS - 1)) + 1]!++;
    for (let digit = 0; digit < DIGITS; digit++) places[digit + 1]! += places[digit]!;
    for (let i = 0; i < n; i++) {
      const key = fromKeys[i]!;
      const place = places[(key >>> shift) & (DIGITS - 1)]!++;
      toKeys[place] = key;
      toIndexes[place] = fromIndexes[i]!;
    }
    [fromKeys, toKeys] = [toKeys, fromKeys];
    [fromIndexes, toIndexes] = [toIndexes, fromIndexes];
  }
}
