import { expect, test } from 'vitest';
import type { CaseFingerprints } from '../../evals/gate/case-fingerprints.ts';
import { beginLook } from '../../evals/gate/looks.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { emptyStore, hashOf, requestOf } from './look-world.ts';

const CASES = 1_000_000;
const ADDED = 1000;

const HALF = 2 ** 24;

/** Fingerprints as of so many different cases: of 48 bits, since two of 32 would often be the same by chance. */
function madeUp(n: number): CaseFingerprints {
  const random = seededRandom(1);
  const half = () => Math.floor(random() * HALF);
  const column = () => Float64Array.from({ length: n }, () => half() * HALF + half());
  return { contents: column(), keys: column(), texts: column(), copies: column() };
}

function part(
  { contents, keys, texts, copies }: CaseFingerprints,
  from: number,
  to: number,
): CaseFingerprints {
  return {
    contents: contents.subarray(from, to),
    keys: keys.subarray(from, to),
    texts: texts.subarray(from, to),
    copies: copies.subarray(from, to),
  };
}

test('a million cases: the same look, an appended one, the next one', () => {
  const { artifact } = emptyStore();
  const all = madeUp(CASES + ADDED);
  const at = (cases: CaseFingerprints, suite: number) =>
    beginLook(artifact, requestOf([], { cases, suiteSha256: hashOf(suite) }));
  const first = at(part(all, ADDED, CASES + ADDED), 1);
  expect(at(part(all, ADDED, CASES + ADDED), 1).record).toBe(first.record);
  const more = at(all, 1);
  expect(more).toMatchObject({ number: 1, batches: 2, continues: true });
  expect(more.batchOf.subarray(0, ADDED).every((batch) => batch === 1)).toBe(true);
  expect(more.batchOf.subarray(ADDED).every((batch) => batch === 0)).toBe(true);
  expect(at(part(all, 0, CASES), 2)).toMatchObject({ number: 2, batches: 1 });
}, 300_000);
