import { deltaOfLook } from '../../../../evals/gate/index.ts';
import { type Bets, lossPValue } from '../../../../evals/threshold/index.ts';
import { clopperPearsonUpper } from '../../../../router/statistics/index.ts';
import { drawnOrder, openGate, stepsOfWalk } from '../gate.ts';
import { casesInRows, drawRows, type Population, type Truth } from '../population.ts';
import {
  CONFIDENCE,
  drawn,
  lossLimit,
  MARGIN,
  promised,
  type Simulation,
  shown,
  shuffled,
} from './simulation.ts';

const UNDIVIDED = 1 - CONFIDENCE;
const LOOKS = 20;
const CASES_A_LOOK = 200;
const SUITE_CASES = 1000;
const LABELS = 5000;
const RESPLITS = 30;

/**
 * Someone looks, labels 200 cases more, and looks again until there is a PASS. The policy is fixed.
 * @param losses of every case of the population, whose mean is just above the margin
 */
export function appendedCases(set: string, losses: Float64Array): Simulation {
  return {
    name: `looks/${set}, ${CASES_A_LOOK} cases more until a PASS, up to ${LOOKS} looks`,
    ways: [promised('bets go on'), shown('bets begun anew, undivided')],
    trial(random) {
      const all = drawn(losses, LOOKS * CASES_A_LOOK, random);
      const anyLook = (passes: (seen: Float64Array, look: number) => boolean) => {
        for (let look = 1; look <= LOOKS; look++) {
          if (passes(all.subarray(0, look * CASES_A_LOOK), look)) return true;
        }
        return false;
      };
      return [
        anyLook((seen, look) => rejects(seen, deltaOfLook(1, CONFIDENCE), batchesOf(look))),
        anyLook((seen) => rejects(inOrder(seen, shuffled(seen.length, random)), UNDIVIDED)),
      ];
    },
  };
}

const DOWNGRADE_LOOKS = 5;
const DOWNGRADE_RATE = 0.08;

/**
 * The share of silent downgrades is the limit itself. It is bet on from the first look on, as the gate does; or counted at first, which spends the
 * error twice.
 */
export function appendedDowngrades(): Simulation {
  return {
    name: `looks/silent downgrades at a limit of ${DOWNGRADE_RATE}, ${CASES_A_LOOK} cases more until a PASS, up to ${DOWNGRADE_LOOKS} looks`,
    ways: [
      promised('bets go on'),
      shown('bets go on, undivided'),
      shown('counted, then bet on, undivided'),
      shown('counted at each look, undivided'),
    ],
    share: 20, // quick, and some of the ways are close
    trial(random) {
      const all = Float64Array.from({ length: DOWNGRADE_LOOKS * CASES_A_LOOK }, () =>
        Number(random() < DOWNGRADE_RATE),
      );
      const anyLook = (passes: (seen: Float64Array, look: number) => boolean) =>
        Array.from({ length: DOWNGRADE_LOOKS }, (_, i) => i + 1).some((look) =>
          passes(all.subarray(0, look * CASES_A_LOOK), look),
        );
      const bets = (delta: number) => (seen: Float64Array, look: number) =>
        lossPValue(drawnOrder(seen.length, batchesOf(look)), seen, { max: DOWNGRADE_RATE, delta }) <= delta;
      const counts = (seen: Float64Array) =>
        clopperPearsonUpper(
          seen.reduce((sum, one) => sum + one, 0),
          seen.length,
          UNDIVIDED,
        ) <= DOWNGRADE_RATE;
      return [
        anyLook(bets(deltaOfLook(1, CONFIDENCE))),
        anyLook(bets(UNDIVIDED)),
        anyLook((seen, look) => (look === 1 ? counts(seen) : bets(UNDIVIDED)(seen, look))),
        anyLook(counts),
      ];
    },
  };
}

/** The same with the walk: whether any look proves a threshold that loses more than the margin. */
export function appendedCasesOfWalk(population: Population, truth: Truth): Simulation {
  const gate = openGate(
    { maxQualityLoss: MARGIN, confidence: CONFIDENCE },
    stepsOfWalk(population.probabilities),
  );
  return {
    name: `looks/${population.set}, the walk, ${CASES_A_LOOK} cases more for ${LOOKS} looks, the loosest threshold of any`,
    ways: [promised('bets go on')],
    trial(random) {
      const rows = drawRows(population, LOOKS * CASES_A_LOOK, random);
      for (let look = 1; look <= LOOKS; look++) {
        const seen = casesInRows(population, rows.subarray(0, look * CASES_A_LOOK));
        const bets = drawnOrder(look * CASES_A_LOOK, batchesOf(look));
        const threshold = gate.judge(seen, deltaOfLook(1, CONFIDENCE), bets);
        if (threshold !== undefined && truth.at(threshold).loss > MARGIN) return [true];
      }
      return [false];
    },
  };
}

/**
 * Twenty suites on the same cases, and as many seeds: each the next look. In fact the order of bets follows from the cases; here the keys are
 * rewritten each time, which changes it.
 */
export function otherSuites(set: string, losses: Float64Array): Simulation {
  return {
    name: `suites/${set}, ${LOOKS} suites or seeds, n ${SUITE_CASES}`,
    ways: [promised('spending'), shown('undivided')],
    trial(random) {
      const cases = drawn(losses, SUITE_CASES, random);
      const found = [false, false];
      for (let look = 1; look <= LOOKS; look++) {
        const ordered = inOrder(cases, shuffled(SUITE_CASES, random));
        found[0] ||= rejects(ordered, deltaOfLook(look, CONFIDENCE));
        found[1] ||= rejects(ordered, UNDIVIDED);
      }
      return found;
    },
  };
}

/** A sealed fifth of the same labels is drawn again and again. A look counts the earlier ones that have a case in common with it. */
export function resplits(set: string, losses: Float64Array): Simulation {
  return {
    name: `re-splits/${set}, ${RESPLITS} sealed fifths of ${LABELS} labels`,
    ways: [promised('spending'), shown('undivided')],
    trial(random) {
      const labels = drawn(losses, LABELS, random);
      const earlier: Uint8Array[] = [];
      const found = [false, false];
      for (let split = 0; split < RESPLITS; split++) {
        const fifth = shuffled(LABELS, random, LABELS / 5);
        const number = 1 + earlier.filter((sealed) => fifth.some((label) => sealed[label] === 1)).length;
        const ordered = inOrder(labels, fifth);
        found[0] ||= rejects(ordered, deltaOfLook(number, CONFIDENCE));
        found[1] ||= rejects(ordered, UNDIVIDED);
        const sealed = new Uint8Array(LABELS);
        for (const label of fifth) sealed[label] = 1;
        earlier.push(sealed);
      }
      return found;
    },
  };
}

function rejects(losses: Float64Array, delta: number, batches?: Bets['batches']): boolean {
  return lossPValue(drawnOrder(losses.length, batches), losses, lossLimit(delta)) <= delta;
}

function batchesOf(looks: number): number[] {
  return new Array<number>(looks).fill(CASES_A_LOOK);
}

function inOrder(losses: Float64Array, order: Uint32Array): Float64Array {
  return Float64Array.from(order, (at) => losses[at]!);
}
