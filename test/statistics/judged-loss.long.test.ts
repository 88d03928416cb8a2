import { expect, test } from 'vitest';
import { differenceBound, judgedLossBound, seededRandom } from '../../router/statistics/index.ts';
import { drawn } from './judged-world.ts';

const DELTA = 0.05;
const RUNS = 1_000;

/** How often a bound is below the truth. */
function misses(bound: (random: () => number) => number, truth: number): number {
  const random = seededRandom(11);
  let below = 0;
  for (let run = 0; run < RUNS; run++) below += Number(bound(random) < truth);
  return below / RUNS;
}

const AUDITED = 400;
const JUDGED = 800;

test(`a judge that errs in 15 %, in favour of length: alone it passes what people would not, corrected in at most 5 % of ${RUNS} runs`, () => {
  const world = { loss: 0.1, error: 0.15, bias: 0.9 };
  const alone = misses(
    (random) => differenceBound.upper(drawn(world, JUDGED, random).judged, DELTA),
    world.loss,
  );
  const corrected = misses((random) => {
    const { judged, human } = drawn(world, JUDGED, random);
    const audited = { judged: judged.subarray(0, AUDITED), human: human.subarray(0, AUDITED) };
    return judgedLossBound(judged, audited, DELTA).upper;
  }, world.loss);
  expect(alone).toBeLessThan(0.25); // its own noise helps: it invents losses, too
  expect(corrected).toBeLessThanOrEqual(DELTA);
  const kind = { loss: 0.1, error: 0.15, bias: 1 };
  const kindAlone = misses(
    (random) => differenceBound.upper(drawn(kind, JUDGED, random).judged, DELTA),
    kind.loss,
  );
  expect(kindAlone).toBeGreaterThan(0.1);
}, 600_000);
