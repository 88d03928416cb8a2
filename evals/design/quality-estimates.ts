import { PlimsollError } from '../../router/errors.ts';
import type { QualityRow } from './qualities.ts';

/** How far qualities of one data set are from those of another, on the scale of log odds: standard deviations. */
export interface Spread {
  /** Variation in the difficulty of data sets, which all models share. */
  readonly difficulty: number;
  /** How much better or worse a model is on one data set than elsewhere. */
  readonly model: number;
}

/** The quality of one model on one task of the traffic: a normal distribution of its log odds, in two parts. */
export interface QualityEstimate {
  /** Mean of the log odds. */
  readonly logOdds: number;
  /** Standard deviation of the part that all models of the task share. */
  readonly sharedSd: number;
  /** Standard deviation of the part that is the model's alone. */
  readonly ownSd: number;
  /** Requests of this task that the model was measured on. */
  readonly n: number;
  /** `measured`: on the traffic itself; `same-task`: on other requests of the task; `other-tasks`: on other tasks alone. */
  readonly from: 'measured' | 'same-task' | 'other-tasks';
}

export interface Estimates {
  readonly spread: Spread;
  of(model: string, task: string): QualityEstimate;
}

interface Cell {
  readonly model: string;
  readonly task: string;
  readonly set: string;
  readonly isOwn: boolean;
  readonly n: number;
  readonly logOdds: number;
  readonly variance: number;
}

/** With fewer data sets their spread says nothing, and that of the shipped qualities counts. */
const FEWEST_SETS = 4;
const ROUNDS = 60;
const FALLBACK_SD = 0.5;
const EXPECTED_FREEDOM = 3;

/**
 * Shrunken estimates from a table: log odds of a quality = difficulty of the data set + strength of the model + what is left, whose variance
 * is found by moments. A cell with few requests is drawn to what data set and model let expect (Fay and Herriot 1979). Rows of the traffic itself have
 * their sampling error alone; of rows from elsewhere the traffic is taken to be one more data set, as far from them as they are from each other.
 *
 * @param fallback the spread of data sets, if the table has too few of them
 * @throws PlimsollError `insufficient-data` if the table has nothing of a model that is asked for
 */
export function estimateQualities(rows: readonly QualityRow[], fallback?: Spread): Estimates {
  const cells = rows.map(cellOf);
  const { difficulty, strength, residualSd } = fitTwoWay(cells, fallback?.model);
  const sets = new Map(cells.map(({ set, task, isOwn }) => [set, { task, isOwn }]));
  const foreign = [...sets].filter(([, { isOwn }]) => !isOwn).map(([set]) => difficulty.get(set)!);
  const measured: Spread = { difficulty: deviation(foreign), model: residualSd };
  const spread = foreign.length < FEWEST_SETS && fallback !== undefined ? fallback : measured;
  const overall = average([...difficulty.values()]);
  const counts = countBy(cells, ({ model }) => model);

  return {
    spread,
    of(model, task) {
      const a = strength.get(model);
      if (a === undefined) throw unknownModel(model);
      const strengthSd = residualSd / Math.sqrt(counts.get(model)!);
      const ofTask = cells.filter((cell) => cell.task === task);
      const own = ofTask.find((cell) => cell.isOwn && cell.model === model);
      const level = levelOf(task);
      if (own !== undefined) {
        const expected = level.mean + a;
        const prior = residualSd ** 2 + 1e-9;
        const weight = prior / (prior + own.variance);
        return {
          logOdds: weight * own.logOdds + (1 - weight) * expected,
          sharedSd: 0,
          ownSd: Math.sqrt(weight * own.variance),
          n: own.n,
          from: 'measured',
        };
      }
      const same = ofTask.filter((cell) => cell.model === model);
      const k = same.length;
      const excess = average(same.map(({ logOdds, set }) => logOdds - difficulty.get(set)! - a));
      return {
        logOdds: level.mean + a + (k / (k + 1)) * excess,
        sharedSd: level.sd,
        ownSd: Math.hypot(spread.model * Math.sqrt(1 + 1 / (k + 1)), strengthSd),
        n: same.reduce((sum, { n }) => sum + n, 0),
        from: k > 0 ? 'same-task' : 'other-tasks',
      };
    },
  };

  /** The difficulty of a task in the traffic: as measured there, else between that of its data sets and that of all. */
  function levelOf(task: string): { readonly mean: number; readonly sd: number } {
    const ofTask = [...sets].filter(([, set]) => set.task === task);
    const own = ofTask.find(([, { isOwn }]) => isOwn);
    if (own !== undefined) return { mean: difficulty.get(own[0])!, sd: 0 };
    const levels = ofTask.map(([set]) => difficulty.get(set)!);
    const k = levels.length;
    return {
      mean: (k * average(levels) + overall) / (k + 1),
      sd: spread.difficulty * Math.sqrt(1 + 1 / (k + 1)),
    };
  }
}

function cellOf({ model, task, quality, n, source }: QualityRow): Cell {
  const p = (quality * n + 0.5) / (n + 1);
  return {
    model,
    task,
    set: JSON.stringify([task, source ?? null]),
    isOwn: source === undefined,
    n,
    logOdds: Math.log(p / (1 - p)),
    variance: 1 / ((n + 1) * p * (1 - p)),
  };
}

/** Alternating weighted means; strengths average 0. */
function fitTwoWay(cells: readonly Cell[], expectedSd = FALLBACK_SD) {
  const difficulty = new Map<string, number>(cells.map(({ set }) => [set, 0]));
  const strength = new Map<string, number>(cells.map(({ model }) => [model, 0]));
  let variance = 0.1;
  for (let round = 0; round < ROUNDS; round++) {
    update(
      difficulty,
      ({ set }) => set,
      ({ model }) => strength.get(model)!,
    );
    update(
      strength,
      ({ model }) => model,
      ({ set }) => difficulty.get(set)!,
    );
    const middle = average([...strength.values()]);
    for (const [model, value] of strength) strength.set(model, value - middle);
    for (const [set, value] of difficulty) difficulty.set(set, value + middle);
    variance = residualVariance();
  }
  return { difficulty, strength, residualSd: Math.sqrt(variance) };

  function update(
    values: Map<string, number>,
    nameOf: (cell: Cell) => string,
    other: (cell: Cell) => number,
  ) {
    const sums = new Map<string, { total: number; weight: number }>();
    for (const cell of cells) {
      const weight = 1 / (variance + cell.variance);
      const sum = sums.get(nameOf(cell)) ?? { total: 0, weight: 0 };
      sums.set(nameOf(cell), sum);
      sum.total += weight * (cell.logOdds - other(cell));
      sum.weight += weight;
    }
    for (const [name, { total, weight }] of sums) values.set(name, total / weight);
  }

  /**
   * By moments: the squares that sampling alone does not explain, over the degrees of freedom that the fit left; drawn to what is expected by as much
   * as some further degrees of freedom would, because a small table leaves few.
   */
  function residualVariance(): number {
    const freedom = Math.max(0, cells.length - difficulty.size - strength.size + 1);
    const squares = cells.reduce((sum, { logOdds, set, model, variance: sampling }) => {
      return sum + (logOdds - difficulty.get(set)! - strength.get(model)!) ** 2 - sampling;
    }, 0);
    return (Math.max(0, squares) + EXPECTED_FREEDOM * expectedSd ** 2) / (freedom + EXPECTED_FREEDOM);
  }
}

function countBy<T>(values: readonly T[], nameOf: (value: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(nameOf(value), (counts.get(nameOf(value)) ?? 0) + 1);
  return counts;
}

/** 0 without a value. */
function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, one) => sum + one, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = average(values);
  return Math.sqrt(values.reduce((sum, one) => sum + (one - middle) ** 2, 0) / (values.length - 1));
}

function unknownModel(model: string): PlimsollError {
  return new PlimsollError('insufficient-data', `Nothing is known of the quality of ${model}.`);
}
