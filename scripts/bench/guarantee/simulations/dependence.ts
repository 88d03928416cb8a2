import { deltaOfLook } from '../../../../evals/gate/index.ts';
import { type Bets, lossPValue } from '../../../../evals/threshold/index.ts';
import { drawnOrder } from '../gate.ts';
import { CONFIDENCE, lossLimit, MARGIN, promised, type Simulation, shown } from './simulation.ts';

const FIRST_LOOK = deltaOfLook(1, CONFIDENCE);

interface Clusters {
  /** Rows of the largest question. */
  readonly rows: number;
  /** Correlation of the losses of one question. */
  readonly icc: number;
  /** Rows in all, at least. */
  readonly n: number;
  /** Share of the questions that have `rows` rows; the others have one. 1 by default. */
  readonly share?: number;
}

/** Just above the margin. */
const CLUSTER_LOSS = MARGIN + 0.001;

/** Several rows of one question: each copies the loss of its question with probability sqrt(icc), and is drawn afresh otherwise. */
export function clusters({ rows, icc, n, share = 1 }: Clusters): Simulation {
  const sizes =
    share === 1 ? `${rows} rows a question` : `${rows} rows in ${100 * share} % of the questions, else 1`;
  return {
    name: `clusters/${sizes}, icc ${icc}, n ${n}`,
    ways: [promised('sampling: groups'), shown('sampling: requests')],
    trial(random) {
      const isLost = () => Number(random() < CLUSTER_LOSS);
      const losses: number[] = [];
      const unitEnds: number[] = [];
      while (losses.length < n) {
        const question = isLost();
        const size = share === 1 || random() < share ? rows : 1;
        for (let row = 0; row < size; row++) losses.push(random() < Math.sqrt(icc) ? question : isLost());
        unitEnds.push(losses.length);
      }
      const { length } = losses;
      const column = Float64Array.from(losses);
      const groups: Bets = { ...drawnOrder(length, [unitEnds.length]), unitEnds, largestUnit: rows };
      return [rejects(groups, column), rejects(drawnOrder(length), column)];
    },
  };
}

const PROMPTS = 20_000;
const POPULAR = 200;
const REQUESTS = 5000;
/** What prompts lose that are not popular. */
const LOSS_OF_OTHERS = 0.02;

interface Repeats {
  /** Exponent of Zipf's law: the k-th most popular prompt is asked in proportion to k^-zipf. */
  readonly zipf: number;
  /** What popular prompts lose; by default as much as brings the whole traffic to just above the margin. */
  readonly lossOfPopular?: number;
}

/** Traffic repeats its popular prompts, which lose more than the others. What a prompt loses, it loses each time. */
export function repeats({ zipf, lossOfPopular }: Repeats): Simulation {
  const { cumulative, popularShare } = zipfLaw(zipf);
  const popular = lossOfPopular ?? LOSS_OF_OTHERS + (MARGIN + 0.002 - LOSS_OF_OTHERS) / popularShare;
  const how =
    lossOfPopular === undefined
      ? 'just above the margin in the mean'
      : `popular prompts lose ${lossOfPopular}`;
  return {
    name: `repeats/zipf ${zipf}, ${how}, ${REQUESTS} requests for ${PROMPTS} prompts`,
    ways: [promised('each request is a bet'), shown('one bet a prompt')],
    trial(random) {
      const lossOf = Float64Array.from({ length: PROMPTS }, (_, prompt) =>
        Number(random() < (prompt < POPULAR ? popular : LOSS_OF_OTHERS)),
      );
      const trueLoss = lossOf.reduce(
        (sum, loss, prompt) => sum + loss * (cumulative[prompt]! - (cumulative[prompt - 1] ?? 0)),
        0,
      );
      if (trueLoss <= MARGIN) return undefined;
      const asked = Uint32Array.from({ length: REQUESTS }, () => firstAbove(cumulative, random()));
      const each = Float64Array.from(asked, (prompt) => lossOf[prompt]!);
      const merged = Float64Array.from([...new Set(asked)], (prompt) => lossOf[prompt]!);
      return [rejects(drawnOrder(each.length), each), rejects(drawnOrder(merged.length), merged)];
    },
  };
}

function rejects(bets: Bets, losses: Float64Array): boolean {
  return lossPValue(bets, losses, lossLimit(FIRST_LOOK)) <= FIRST_LOOK;
}

function zipfLaw(exponent: number) {
  const cumulative = new Float64Array(PROMPTS);
  let total = 0;
  for (let prompt = 0; prompt < PROMPTS; prompt++) cumulative[prompt] = total += (prompt + 1) ** -exponent;
  for (let prompt = 0; prompt < PROMPTS; prompt++) cumulative[prompt]! /= total;
  return { cumulative, popularShare: cumulative[POPULAR - 1]! };
}

/** The first index whose value is above `at`; the last one if none is. */
function firstAbove(ascending: Float64Array, at: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
