import { seededRandom } from '../../router/statistics/index.ts';
import type { Matrix } from '../../router/train/logistic-loss.ts';

const EMBEDDING = 6;
const STRUCTURAL = 2;
const COLUMNS = EMBEDDING + STRUCTURAL;

/**
 * Rows around the four corners of a square. Their labels are the parity of the corner, which no plane separates and a neighbourhood shows.
 */
export function clusteredRows(rows: number, seed = 1) {
  const random = seededRandom(seed);
  const values = new Float32Array(rows * COLUMNS);
  const labels = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const corner = Math.floor(random() * 4);
    const bits = [corner & 1, corner >> 1];
    for (let j = 0; j < COLUMNS; j++) {
      values[row * COLUMNS + j] = 2 * bits[j % 2]! - 1 + 0.4 * (random() - 0.5);
    }
    const good = bits[0] !== bits[1] ? 0.9 : 0.1;
    labels[row] = Number(random() < good);
  }
  const matrix: Matrix = { rows, columns: COLUMNS, values, structural: STRUCTURAL };
  return { matrix, labels, folds: Int32Array.from({ length: rows }, (_, row) => (row * 7) % 4) };
}

/** Labels that the rows' first column decides: a plane separates them, so that there is nothing to gain. */
export function linearLabels({ rows, columns, values }: Matrix, seed = 2): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: rows }, (_, row) =>
    Number(random() < (values[row * columns]! > 0 ? 0.7 : 0.3)),
  );
}
