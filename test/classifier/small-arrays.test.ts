import { expect, test } from 'vitest';
import { smallArrays } from '../../router/small-arrays.ts';

test('arrays are zeros of the length asked for, and none writes into another', () => {
  const array = smallArrays(Int32Array);
  const arrays = Array.from({ length: 500 }, (_, i) => array(i % 90).fill(i));
  arrays.forEach((one, i) => {
    expect(one).toEqual(new Int32Array(i % 90).fill(i));
  });
  expect(array(3)).toEqual(new Int32Array(3));
});

test('a long one has memory of its own, and those that came before are kept', () => {
  const array = smallArrays(Float32Array);
  const short = array(2).fill(7);
  const long = array(100_000).fill(8);
  expect(long.byteLength).toBe(long.buffer.byteLength);
  expect(short).toEqual(Float32Array.of(7, 7));
  expect(array(2).buffer).toBe(short.buffer);
});
