import { Command } from 'commander';
import { deltaOfLook, type Sealed, suiteSchema, walkSealed } from '../../evals/gate/index.ts';
import { walkSteps } from '../../evals/threshold/index.ts';
import { clopperPearsonInterval, seededRandom } from '../../router/statistics/index.ts';
import { wholeNumberBetween } from '../flags.ts';
import { print } from '../terminal.ts';
import { drawnOrder, sealedCases } from './guarantee/gate.ts';

const CONFIDENCE = 0.95;
/** What a first look may spend. */
const DELTA = deltaOfLook(1, CONFIDENCE);
/** Scores are whole hundredths, so that a walk has a hundred steps. */
const SCORES = 100;
/** A request whose predicted loss is p loses with this probability times p^2 if it stays cheap, and wins with WON. */
const LOST = 0.6;
const WON = 0.02;
/** Share of the cases in which the judge errs. */
const JUDGE_ERRS = 0.15;

/** How the gate may be given the labels. */
const WAYS = ['judge alone', 'judge, corrected by people', 'people alone', 'all by people'] as const;
type Way = (typeof WAYS)[number];

interface Options {
  readonly resamples: number;
  readonly judged: number;
  readonly people: number;
  readonly seed: number;
}

const options = new Command('bench:judged-labels')
  .description(
    'How often the gate passes what people would not, by labels of a judge that errs in 15 % of the cases.',
  )
  .option('--resamples <n>', 'samples drawn for each row', wholeNumberBetween(1, 1e5), 1_000)
  .option('--judged <n>', 'cases that the judge labels', wholeNumberBetween(1, 1e5), 2_000)
  .option('--people <n>', 'those of them that people label too', wholeNumberBetween(1, 1e5), 400)
  .option('--seed <n>', 'of all draws', wholeNumberBetween(0, 2 ** 31 - 1), 7)
  .parse()
  .opts<Options>();

print(
  "| margin | errors in favour of the cheap model's longer reply | labels | false PASS (95 % interval) | escalated, mean |\n| --- | ---: | --- | ---: | ---: |\n",
);
for (const [margin, longer] of [
  [0.05, 0.5],
  [0.05, 0.9],
  [0.05, 1],
  [0.1, 1],
] as const) {
  for (const row of measure({ margin, longer }, options)) print(row);
}

interface World {
  readonly margin: number;
  /** Share of the judge's errors that are in favour of the cheap model, whose replies are longer. */
  readonly longer: number;
}

function measure(world: World, { resamples, seed, ...sizes }: Options): string[] {
  const random = seededRandom(seed);
  const found = new Map<Way, { escalated: number; falsePasses: number }>(
    WAYS.map((way) => [way, { escalated: 0, falsePasses: 0 }]),
  );
  for (let resample = 0; resample < resamples; resample++) {
    const sample = drawSample(world, sizes.judged, random);
    for (const way of WAYS) {
      const threshold = passedThreshold(sample, way, world.margin, sizes.people);
      const tally = found.get(way)!;
      tally.escalated += 1 - (threshold === undefined ? 0 : keptShare(threshold));
      tally.falsePasses += Number(threshold !== undefined && trueLoss(threshold) > world.margin);
    }
  }
  return WAYS.map((way) => {
    const { escalated, falsePasses } = found.get(way)!;
    const { low, high } = clopperPearsonInterval(falsePasses, resamples, 0.05);
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
    return `| ${world.margin} | ${percent(world.longer)} | ${way} | ${percent(falsePasses / resamples)} (${percent(low)} to ${percent(high)}) | ${percent(escalated / resamples)} |\n`;
  });
}

interface Sample {
  /** Predicted loss of the cheap model, and what people and the judge say about its reply: q(strong) - q(cheap). */
  readonly scores: Float64Array;
  readonly people: Float64Array;
  readonly judge: Float64Array;
}

function drawSample({ longer }: World, n: number, random: () => number): Sample {
  const sample = { scores: new Float64Array(n), people: new Float64Array(n), judge: new Float64Array(n) };
  for (let i = 0; i < n; i++) {
    const score = (Math.floor(random() * SCORES) + 1) / SCORES;
    const draw = random();
    const loss = draw < LOST * score ** 2 ? 1 : draw > 1 - WON ? -1 : 0;
    const errs = random() < JUDGE_ERRS;
    const favours = random() < longer;
    sample.scores[i] = score;
    sample.people[i] = loss;
    sample.judge[i] = errs ? (favours ? 0 : 1) : loss;
  }
  return sample;
}

function keptShare(threshold: number): number {
  return Math.floor(threshold * SCORES + 1e-9) / SCORES;
}

/** Mean loss of all requests if those up to the threshold stay cheap. */
function trueLoss(threshold: number): number {
  const kept = Math.floor(threshold * SCORES + 1e-9);
  let total = 0;
  for (let step = 1; step <= kept; step++) total += LOST * (step / SCORES) ** 2 - WON;
  return total / SCORES;
}

function passedThreshold(sample: Sample, way: Way, margin: number, people: number): number | undefined {
  const n = way === 'people alone' ? Math.min(people, sample.scores.length) : sample.scores.length;
  const scores = sample.scores.subarray(0, n);
  const qualities = (losses: Float64Array) => [
    losses.subarray(0, n).map((loss) => (loss === 1 ? 0 : 1)),
    losses.subarray(0, n).map((loss) => (loss === -1 ? 0 : 1)),
  ];
  const isJudged = way === 'judge alone' || way === 'judge, corrected by people';
  const { candidates, heldOut } = sealedCases({
    probabilities: [scores.map((score) => 1 - score), new Float64Array(n).fill(1)],
    quality: qualities(isJudged ? sample.judge : sample.people),
  });
  const audited = Uint8Array.from({ length: n }, (_, i) =>
    Number(way === 'judge, corrected by people' && i < people),
  );
  const labels = { judged: new Uint8Array(n).fill(1), audited, people: qualities(sample.people) };
  const sealed: Sealed = {
    candidates,
    heldOut: isJudged ? { ...heldOut, labels } : heldOut,
    suite: suiteSchema.parse({ name: 'judged', max_quality_loss: margin, confidence: CONFIDENCE }),
    bets: drawnOrder(n),
    delta: DELTA,
  };
  const { threshold, proved } = walkSealed(sealed, walkSteps(0, 0.999));
  return proved ? threshold : undefined;
}
