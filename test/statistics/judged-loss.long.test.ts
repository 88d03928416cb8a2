import { expect, test } from 'vitest';
import {
  clopperPearsonInterval,
  differenceBound,
  judgedLossBound,
  seededRandom,
} from '../../router/statistics/index.ts';
import { drawn } from './judged-world.ts';

const DELTA = 0.05;
const RUNS = 1_000;
const AUDITED = 400;
const JUDGED = 800;
const LOSS = 0.1;

type Draw = ReturnType<typeof drawn>;

const BOUNDS: Readonly<Record<string, (draw: Draw) => number>> = {
  'judge alone': ({ judged }) => differenceBound.upper(judged, DELTA),
  corrected: ({ judged, human }) => {
    const audited = { judged: judged.subarray(0, AUDITED), human: human.subarray(0, AUDITED) };
    return judgedLossBound(judged, audited, DELTA).upper;
  },
  'people alone': ({ human }) => differenceBound.upper(human.subarray(0, AUDITED), DELTA),
};

/** How often the bound is below the truth, with its 95 % interval, and its mean. */
function measured(bias: number, bound: (draw: Draw) => number) {
  const random = seededRandom(11);
  let [below, sum] = [0, 0];
  for (let run = 0; run < RUNS; run++) {
    const upper = bound(drawn({ loss: LOSS, error: 0.15, bias }, JUDGED, random));
    below += Number(upper < LOSS);
    sum += upper;
  }
  const { low, high } = clopperPearsonInterval(below, RUNS, 0.05);
  return { bias, falsePass: below / RUNS, low, high, mean: sum / RUNS };
}

test(`a judge that errs in 15 %, in favour of length: alone it passes what people would not, corrected in at most 5 % of ${RUNS} runs`, () => {
  const rows = [0.9, 1].flatMap((bias) =>
    Object.entries(BOUNDS).map(([bound, of]) => ({ bound, ...measured(bias, of) })),
  );
  console.table(rows); // the table of docs/EXPERIMENTS.md
  const share = (bound: string, bias: number) =>
    rows.find((row) => row.bound === bound && row.bias === bias)?.falsePass;
  expect(share('judge alone', 0.9)).toBeLessThan(0.25); // its own noise helps: it invents losses, too
  expect(share('corrected', 0.9)).toBeLessThanOrEqual(DELTA);
  expect(share('corrected', 1)).toBeLessThanOrEqual(DELTA);
  expect(share('judge alone', 1)).toBeGreaterThan(0.1);
}, 600_000);
