import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LabelledSet } from '../../scripts/bench/guarantee/population.ts';
import { coverageReport, guaranteeViolations, reportText } from '../../scripts/bench/guarantee/report.ts';
import { openResults, type SimulationResult } from '../../scripts/bench/guarantee/results.ts';
import { measureSimulations, type Runner } from '../../scripts/bench/guarantee/runner.ts';
import { runSimulation, simulationsOn } from '../../scripts/bench/guarantee/simulations.ts';
import { LONG_RUN } from '../helpers/long-run.ts';
import { madeUpPopulation } from './made-up-population.ts';

const population = madeUpPopulation(3000, 2);
const labelled: LabelledSet = { ...population, models: ['small', 'large'], cases: [] };
const simulations = simulationsOn([population]);
const few = { resamples: 2, seed: 1 };

const named = (part: string) => simulations.find(({ name }) => name.includes(part))!;
const reportOf = (results: readonly SimulationResult[]) => coverageReport([labelled], [], results, few);

/** The same results, had the gate promised what is only shown beside it. */
function asPromised(result: SimulationResult): SimulationResult {
  return { ...result, ways: result.ways.map((way) => ({ ...way, promised: true })) };
}

describe('every simulation', () => {
  it.each(simulations.map(({ name }) => [name]))('%s', (name) => {
    const simulation = named(name);
    const once = runSimulation(simulation, few);
    expect(runSimulation(simulation, few)).toEqual(once);
    expect(once).toMatchObject({ simulation: name, resamples: 2, seed: 1 });
    expect(once.ways.map(({ way, promised }) => ({ name: way, promised }))).toEqual(simulation.ways);
    expect(once.runs).toBeLessThanOrEqual(2 * Math.max(1, simulation.share ?? 1));
    for (const { events } of once.ways) expect(events).toBeLessThanOrEqual(once.runs);
  });

  it('is of every kind, by another name each', () => {
    const kinds = new Set(simulations.map(({ name }) => name.slice(0, name.indexOf('/'))));
    expect([...kinds]).toEqual([
      'looks',
      'suites',
      're-splits',
      'challengers',
      'clusters',
      'repeats',
      'missing',
      'power',
      'hints',
    ]);
    expect(new Set(simulations.map(({ name }) => name)).size).toBe(simulations.length);
  });

  it('adaptive challengers, power and hints are shown and not promised', () => {
    const free = simulations.filter(({ ways }) => ways.every(({ promised }) => !promised));
    expect(free.map(({ name }) => name.replace(/[, ].*/, ''))).toEqual(
      simulations
        .filter(({ name }) => /adaptive|^power|^hints/.test(name))
        .map(({ name }) => name.replace(/[, ].*/, '')),
    );
  });
});

describe('a broken method is caught', () => {
  const BROKEN = [
    ['a fixed policy on re-splits, undivided', 're-splits/', 'undivided'],
    ['twenty-four challengers, undivided', 'fixed, correlation 0,', '24, undivided'],
    [
      'ten rows of a question, each a bet',
      'clusters/10 rows a question, icc 1, n 2000',
      'sampling: requests',
    ],
    ['requests that are merged', 'repeats/zipf 0.8, popular', 'one bet a prompt'],
    ['missing outcomes that are left out', 'missing/50 %', 'left out'],
  ] as const;

  it.runIf(LONG_RUN).each(BROKEN)('%s', (_, name, way) => {
    const result = runSimulation(named(name), { resamples: 60, seed: 1 });
    expect(guaranteeViolations(reportOf([result]))).toEqual([]);
    const broken = guaranteeViolations(reportOf([asPromised(result)]));
    expect(broken).toEqual([expect.stringMatching(/ runs pass what is bad /)]);
    expect(broken[0]).toContain(`(${way})`);
  });

  it('seeds tried until one passes: what the spending forbids, the undivided error does', () => {
    const { ways } = runSimulation(named('suites/'), { resamples: 200, seed: 1 });
    const [spending, undivided] = [ways[0]!.events, ways[1]!.events];
    expect(spending).toBeLessThanOrEqual(14); // 95 % of binomial laws at .05
    expect(undivided).toBeGreaterThan(14);
  });
});

describe('a run', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'simulations-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('that was stopped is taken up where it was, and reported', async () => {
    const file = path.join(folder, 'results.jsonl');
    const runner: Runner = {
      score: async () => population,
      run: () => Promise.reject(new Error('no setting was asked for')),
    };
    const said: string[] = [];
    const measured = () =>
      measureSimulations({
        sets: [labelled],
        repeats: few,
        runner,
        results: openResults(file),
        say: (line) => said.push(line),
      });
    const whole = await measured();
    expect(said).toEqual(simulations.map(({ name }) => name));
    const lines = readFileSync(file, 'utf8').split('\n');
    rmSync(file);
    appendFileSync(file, `${lines.slice(0, 40).join('\n')}\n${lines[40]!.slice(0, 20)}`);
    said.length = 0;
    expect(await measured()).toEqual(whole);
    expect(said).toHaveLength(simulations.length - 40);

    const text = reportText(reportOf(whole));
    for (const { name } of simulations) expect(text).toContain(name);
    expect(text).not.toMatch(/NaN|undefined|null/);
  });
});
