import { describe, expect, it } from 'vitest';
import { thresholdPath } from '../../evals/threshold/index.ts';
import { binomialTail } from '../../router/statistics/binomial.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { openGate, stepsOfWalk } from '../../scripts/bench/guarantee/gate.ts';
import {
  bootstrapCounts,
  bootstrapTest,
  methodsFor,
  testMethod,
} from '../../scripts/bench/guarantee/methods.ts';
import {
  casesInRows,
  drawRows,
  knownPolicies,
  populationTruth,
} from '../../scripts/bench/guarantee/population.ts';
import { runSetting } from '../../scripts/bench/guarantee/run-setting.ts';
import { type Setting, settingSeed } from '../../scripts/bench/guarantee/settings.ts';
import { madeUpPopulation, replayed } from './made-up-population.ts';

const population = madeUpPopulation(1500, 1);
const setting: Setting = { set: 'routellm_mmlu', n: 200, maxQualityLoss: 0.05, confidence: 0.95 };
const few = { resamples: 8, seed: 1 };

const steps = stepsOfWalk(population.probabilities);
const alwaysRejects = testMethod('always', () => () => 0);
const neverRejects = testMethod('never', () => () => 1);

describe('the truth about a population', () => {
  it('is what the policy does to every case, at thresholds between scores and on them', () => {
    const truth = populationTruth(population);
    for (let step = -200; step <= 1000; step += 7) {
      const brute = replayed(population, step / 1000);
      const found = truth.at(step / 1000);
      expect(found.escalationRate).toBeCloseTo(brute.escalationRate, 12);
      expect(found.loss).toBeCloseTo(brute.loss, 12);
    }
    const [p0, p1] = population.probabilities;
    for (let row = 0; row < 50; row++) {
      const score = p1![row]! - p0![row]!;
      expect(truth.at(score).loss).toBeCloseTo(replayed(population, score).loss, 12);
    }
    expect(truth.gap).toBeCloseTo(replayed(population, 1).loss, 12);
  });
});

describe('one setting', () => {
  it('gives the same result each time, and another one for another seed', () => {
    const once = runSetting(population, setting, few);
    expect(runSetting(population, setting, few)).toEqual(once);
    expect(runSetting(population, setting, { ...few, seed: 2 }).certification).not.toEqual(
      once.certification,
    );
  });

  it('counts violations and means as a replay of each certified threshold does', () => {
    const { certification } = runSetting(population, setting, few);
    const random = seededRandom(settingSeed(setting, few.seed));
    const gap = replayed(population, 1).loss;
    const sum = { violations: 0, certified: 0, cheaper: 0, escalation: 0, loss: 0 };
    for (let resample = 0; resample < few.resamples; resample++) {
      const sample = casesInRows(population, drawRows(population, setting.n, random));
      const threshold = openGate(setting, steps).judge(sample);
      const { escalationRate, loss } = replayed(population, threshold ?? -1);
      sum.certified += threshold === undefined ? 0 : 1;
      sum.violations += loss > setting.maxQualityLoss ? 1 : 0;
      sum.cheaper += escalationRate < 1 - loss / gap ? 1 : 0;
      sum.escalation += escalationRate / few.resamples;
      sum.loss += loss / few.resamples;
    }
    const gate = certification.find(({ method }) => method === 'gate')!;
    expect(gate).toMatchObject({
      violations: sum.violations,
      certified: sum.certified,
      cheaper_than_random: sum.cheaper,
    });
    expect(sum.certified).toBeGreaterThan(0);
    expect(gate.escalation_rate).toBeCloseTo(sum.escalation, 12);
    expect(gate.true_loss).toBeCloseTo(sum.loss, 12);
    expect(gate.random_escalation_rate).toBeCloseTo(1 - sum.loss / gap, 12);
  });

  it('sees a test that always rejects break every promise, and one that never does certify nothing', () => {
    const { certification, gate } = runSetting(population, setting, few, [alwaysRejects, neverRejects]);
    expect(certification[0]).toMatchObject({ violations: 8, certified: 8, escalation_rate: 0 });
    expect(certification[0]!.true_loss).toBeCloseTo(replayed(population, 1).loss, 12);
    expect(certification[1]).toEqual({
      method: 'never',
      violations: 0,
      certified: 0,
      cheaper_than_random: 0,
      escalation_rate: 1,
      true_loss: 0,
      random_escalation_rate: 1,
    });
    expect(gate.length).toBe(3);
    for (const { passes } of gate) {
      expect(passes).toEqual([
        { method: 'always', passes: 8 },
        { method: 'never', passes: 0 },
      ]);
    }
  });

  it('finds the plain estimate breaking its promise far more often than the gate', () => {
    const { certification, gate } = runSetting(population, { ...setting, n: 500 }, { ...few, resamples: 40 });
    const of = (name: string) => certification.find(({ method }) => method === name)!;
    expect(of('point-estimate').violations).toBeGreaterThanOrEqual(10);
    expect(of('gate').violations).toBeLessThanOrEqual(6);
    expect(of('gate').certified).toBe(40);
    const passes = (timesMargin: number, name: string) =>
      gate
        .find(({ times_margin }) => times_margin === timesMargin)!
        .passes.find(({ method }) => method === name)!.passes;
    expect(passes(1, 'point-estimate')).toBeGreaterThanOrEqual(10);
    expect(passes(1, 'gate')).toBeLessThanOrEqual(6);
    expect(passes(0.5, 'gate')).toBeGreaterThan(passes(1, 'gate'));
  });
});

describe('the policies that the gate is asked about', () => {
  const truth = populationTruth(population);

  it('have the true loss that is said', () => {
    const policies = knownPolicies(population, truth, 0.05);
    expect(policies.map(({ timesMargin }) => timesMargin)).toEqual([0.5, 1, 1.5]);
    for (const { threshold, trueLoss, escalationRate, losses, timesMargin } of policies) {
      const brute = replayed(population, threshold);
      expect(trueLoss).toBeCloseTo(brute.loss, 12);
      expect(escalationRate).toBeCloseTo(brute.escalationRate, 12);
      expect(losses.reduce((sum, loss) => sum + loss, 0) / 1500).toBeCloseTo(trueLoss, 12);
      expect(Math.abs(trueLoss - timesMargin * 0.05)).toBeLessThan(0.0025);
    }
  });

  it.each([0.03, 0.04, 0.05, 0.06, 0.07, 0.08])(
    'come as close as any to the margin %d from above',
    (margin) => {
      const justAbove = knownPolicies(population, truth, margin)[1]!.trueLoss;
      expect(justAbove).toBeGreaterThan(margin);
      const losses = thresholdPath(population).map(({ qualityLoss }) => qualityLoss);
      expect(losses.filter((loss) => loss > margin && loss < justAbove - 1e-12)).toEqual([]);
    },
  );

  it('are left out where the set cannot lose as much', () => {
    const policies = knownPolicies(population, truth, 0.15);
    expect(policies.map(({ timesMargin }) => timesMargin)).toEqual([0.5, 1]);
  });
});

describe('the methods', () => {
  const methods = methodsFor(1000, steps);
  const promise = { maxQualityLoss: 0.03, confidence: 0.95 };
  const passesWith = (lost: number) => {
    const random = seededRandom(4);
    const losses = Float64Array.from({ length: 1000 }, (_, i) => Number((i * 37) % 1000 < lost));
    losses.sort(() => random() - 0.5);
    return methods.filter((method) => method.passes(losses, promise)).map(({ name }) => name);
  };

  it('spend what they say: one planned look the whole error, the first of many a part of it', () => {
    const order = ['gate', 'gate, one look planned'];
    for (const lost of [0, 5, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28]) {
      const passing = passesWith(lost).filter((name) => order.includes(name));
      expect(passing).toEqual(order.slice(2 - passing.length)); // who spends less passes no more
    }
    expect(passesWith(0)).not.toContain('hoeffding-bentkus');
    expect(passesWith(31)).toEqual([]);
  });

  it('the stakes of the first edition are those of their formula', () => {
    // 200 cases without a loss at a margin of .02: scale 2 ln 20 / 200, stakes by hand
    const limit = 0.51;
    let [capital, squares, total] = [1, 0.25, 0.5];
    for (let i = 0; i < 200; i++) {
      const stake = Math.min(Math.sqrt((2 * Math.log(20) * (i + 1)) / (200 * squares)), 0.75 / (1 - limit));
      capital *= 1 + stake * (limit - 0.5);
      total += 0.5;
      squares += (0.5 - total / (i + 2)) ** 2;
    }
    const plugIn = methods.find(({ name }) => name === 'plug-in stakes')!;
    const justEnough = 1 - 1 / capital;
    const noLoss = new Float64Array(200);
    expect(plugIn.passes(noLoss, { maxQualityLoss: 0.02, confidence: 0.95 })).toBe(justEnough >= 0.95);
    expect(plugIn.passes(noLoss, { maxQualityLoss: 0.021, confidence: 0.95 })).toBe(true);
    expect(plugIn.passes(noLoss, { maxQualityLoss: 0.019, confidence: 0.95 })).toBe(false);
  });
});

describe('the percentile bootstrap', () => {
  it('draws n of n cases in every resample', () => {
    const { counts, n, resamples } = bootstrapCounts(50, 20, 3);
    for (let resample = 0; resample < resamples; resample++) {
      let drawn = 0;
      for (let row = 0; row < n; row++) drawn += counts[row * resamples + resample]!;
      expect(drawn).toBe(50);
    }
  });

  it.each([25, 30, 36])(
    'agrees with the exact distribution, a binomial, where %d of 200 are lost',
    (lost) => {
      const test = bootstrapTest(bootstrapCounts(200, 20_000, 1));
      const values = Float64Array.from({ length: 200 }, (_, i) => (i < lost ? 1 : 0.5));
      // the limit allows a mean loss of .15, which is 30 of 200: the share above is P(Bin(200, lost/200) > 30)
      expect(Math.abs(test(values, 0.575, 0.05) - (1 - binomialTail(30, 200, lost / 200)))).toBeLessThan(
        0.012,
      );
    },
  );

  it('says the same along a walk as when it is asked for the first time', () => {
    const counts = bootstrapCounts(60, 500, 2);
    const random = seededRandom(5);
    const values = new Float64Array(60).fill(0.5);
    const walking = bootstrapTest(counts);
    for (let step = 0; step < 30; step++) {
      values[Math.floor(random() * 60)] = [0, 0.5, 0.75, 1][Math.floor(random() * 4)]!;
      expect(walking(values, 0.55, 0.05)).toBe(bootstrapTest(counts)(values, 0.55, 0.05));
    }
  });

  it('is sure without any loss, however few the cases: no bound', () => {
    const promise = { maxQualityLoss: 0.002, confidence: 0.95 };
    const passing = methodsFor(5, steps).filter((method) => method.passes(new Float64Array(5), promise));
    expect(passing.map(({ name }) => name)).toEqual(['bootstrap', 'point-estimate']);
  });
});
