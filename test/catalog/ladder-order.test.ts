import { expect, test } from 'vitest';
import { ladderOrderWarning } from '../../router/catalog/index.ts';
import type { CatalogModel } from '../../router/catalog/types.ts';
import { modelAt } from '../providers/call-to.ts';

function rung(candidate: string, inputUsd?: number, outputUsd?: number) {
  const price = inputUsd === undefined || outputUsd === undefined ? undefined : { inputUsd, outputUsd };
  const model: CatalogModel = {
    ...modelAt('http://127.0.0.1:9/v1', 'openai'),
    name: `test/${candidate}`,
    price,
  };
  return { candidate, model };
}

test.each([
  ['in order', [rung('a', 1, 5), rung('b', 2, 10)]],
  ['of one price', [rung('a', 1, 5), rung('b', 1, 5)]],
  ['dearer output that cheaper input makes good', [rung('a', 1, 11), rung('b', 2, 10)]],
  ['an unknown price', [rung('a', 3, 9), rung('b'), rung('c', 3, 9)]],
  ['one rung', [rung('a', 3, 9)]],
])('no warning: %s', (_, rungs) => {
  expect(ladderOrderWarning('ladder', rungs)).toBeUndefined();
});

test('every rung that is dearer than one above it is named, with both prices', () => {
  const warning = ladderOrderWarning('ladder', [
    rung('a', 2, 10),
    rung('x'),
    rung('b', 1, 5),
    rung('c', 0.1, 0.4),
  ]);
  const [a, b, c] = [
    'a (test/a, $2 in and $10 out a million tokens)',
    'b (test/b, $1 in and $5 out a million tokens)',
    'c (test/c, $0.1 in and $0.4 out a million tokens)',
  ];
  expect(warning).toBe(
    `ladder is in another order than the prices: ${a} is dearer than ${b}; ${a} is dearer than ${c}; ${b} is dearer than ${c}. Name the rungs cheapest first, or correct the prices under models.`,
  );
});
