import { sha256 } from '../../../router/artifact/index.ts';
import { seededRandom } from '../../../router/statistics/index.ts';
import { knownPolicies, type Population, populationTruth } from './population.ts';
import { SCHEMA_VERSION, type SimulationResult } from './results.ts';
import type { Repeats } from './settings.ts';
import { adaptiveChallengers, fixedChallengers } from './simulations/challengers.ts';
import { clusters, repeats } from './simulations/dependence.ts';
import { hintOfFurtherCases } from './simulations/hints.ts';
import {
  appendedCases,
  appendedCasesOfWalk,
  appendedDowngrades,
  otherSuites,
  resplits,
} from './simulations/looks.ts';
import { missingOutcomes } from './simulations/missing.ts';
import { powerAtHalf } from './simulations/power.ts';
import { MARGIN, type Simulation } from './simulations/simulation.ts';

/** All simulations: the attacks on real cases of each population, those whose cases are made up, and what the gate can do. */
export function simulationsOn(populations: readonly Population[]): Simulation[] {
  return [...populations.flatMap(realAttacks), ...madeUpAttacks(), ...power(), ...hints()];
}

/** Deterministic: each simulation has its own draws, whether it runs alone or with others. */
export function runSimulation(
  { name, ways, trial, share = 1 }: Simulation,
  { resamples, seed }: Repeats,
): SimulationResult {
  const random = seededRandom(Number.parseInt(sha256(`${seed}/${name}`).slice(0, 8), 16));
  const counts = ways.map(() => 0);
  let runs = 0;
  for (let resample = 0; resample < resamples * share; resample++) {
    const found = trial(random);
    if (found === undefined) continue;
    runs++;
    found.forEach((passed, i) => {
      counts[i]! += Number(passed);
    });
  }
  return {
    schema_version: SCHEMA_VERSION,
    simulation: name,
    resamples,
    seed,
    runs,
    ways: ways.map(({ name: way, promised }, i) => ({ way, promised, events: counts[i]! })),
  };
}

/** Attacks with the policy that has the smallest loss above the margin. */
function realAttacks(population: Population): Simulation[] {
  const truth = populationTruth(population);
  const justAbove = knownPolicies(population, truth, MARGIN).find(({ timesMargin }) => timesMargin === 1);
  if (justAbove === undefined) return [];
  const { set } = population;
  const { losses } = justAbove;
  return [
    appendedCases(set, losses),
    appendedCasesOfWalk(population, truth),
    otherSuites(set, losses),
    resplits(set, losses),
  ];
}

function madeUpAttacks(): Simulation[] {
  return [
    appendedDowngrades(),
    ...[0, 0.5, 0.8, 0.95].map(fixedChallengers),
    adaptiveChallengers('the worst topic for any other'),
    adaptiveChallengers('the worst topic for the best other'),
    ...[500, 2000].flatMap((n) => [
      ...[2, 5, 10, 20].flatMap((rows) => [0.3, 0.6, 1].map((icc) => clusters({ rows, icc, n }))),
      clusters({ rows: 20, icc: 0.6, n, share: 0.1 }),
    ]),
    ...[0.8, 1, 1.2].flatMap((zipf) => [repeats({ zipf }), repeats({ zipf, lossOfPopular: 0.08 })]),
    ...[0.02, 0.2, 0.3, 0.5].map(missingOutcomes),
  ];
}

/** Settings in which the stakes of the first edition pass 49, 53 and 76 % of the samples: where its power was measured. */
function power(): Simulation[] {
  return [
    powerAtHalf({ margin: 0.02, differing: 0.04 }),
    powerAtHalf({ margin: 0.03, differing: 0.092 }),
    powerAtHalf({ margin: 0.05, differing: 0.15 }),
  ];
}

function hints(): Simulation[] {
  const conditions = ['quality-loss', 'silent-downgrades'] as const;
  return conditions.flatMap((condition) =>
    [1, 5].flatMap((look) =>
      [300, 1000].flatMap((n) =>
        [0.25, 0.5, 0.75, 1.5].map((times) => hintOfFurtherCases({ condition, n, times, look })),
      ),
    ),
  );
}
