/**
 * One vector from a transformer's output: the mean over every token (special ones too) or the first token's, brought
 * to length 1, as sentence-transformers does for MiniLM, BGE, E5 and their kin (Reimers and Gurevych 2019).
 * @param hidden tokens x dimension values, row by row
 */
export function poolTokens(hidden: Float32Array, dimension: number, pooling: 'mean' | 'cls'): Float32Array {
  return toUnitLength(pooling === 'cls' ? hidden.slice(0, dimension) : meanRow(hidden, dimension));
}

function meanRow(rows: Float32Array, dimension: number): Float32Array {
  const sums = new Float64Array(dimension);
  for (let at = 0; at < rows.length; ) {
    for (let j = 0; j < dimension; j++) sums[j]! += rows[at++]!;
  }
  const count = rows.length / dimension;
  return Float32Array.from(sums, (total) => total / count);
}

/** In place. A vector of zeros stays what it is. */
function toUnitLength(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  if (length > 0) for (let j = 0; j < vector.length; j++) vector[j]! /= length;
  return vector;
}
