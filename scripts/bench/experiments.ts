import { Command, Option } from 'commander';
import {
  asymptoticDifference,
  boundedDifference,
  clopperPearsonInterval,
  type DifferenceSequence,
  sampleRatioTest,
  seededRandom,
} from '../../router/statistics/index.ts';
import { wholeNumberBetween } from '../flags.ts';
import { print } from '../terminal.ts';
import { CANARY, type Candidate, CONTROL_ERRORS, runCanary } from './experiments/canary.ts';
import {
  DELAYED_REQUESTS,
  type DelayedArms,
  REQUESTS_A_SECOND,
  runDelayed,
  SUCCESS,
} from './experiments/delays.ts';

const DELTA = 0.05;
const ARM_REQUESTS = 5_000;

interface Flags {
  readonly runs: number;
  readonly seed: number;
  readonly only?: 'differences' | 'delays' | 'canary';
}

const flags = new Command('bench:experiments')
  .description(
    'How often a comparison of two arms raises a false alarm, and finds a difference, looked at after every request.',
  )
  .option(
    '--runs <n>',
    'of a row without a difference; half as many of one with',
    wholeNumberBetween(10, 1e6),
    1_000,
  )
  .option('--seed <n>', 'of all draws', wholeNumberBetween(0, 2 ** 30), 1)
  .addOption(new Option('--only <part>', 'one part').choices(['differences', 'delays', 'canary']))
  .parse()
  .opts<Flags>();

/** What an outcome is drawn from. */
type Draw = (random: () => number, isTreated: boolean) => number;

interface World {
  readonly name: string;
  readonly open: () => DifferenceSequence;
  readonly draw: Draw;
  /** The true difference. */
  readonly truth: number;
  /** Probability of the treated arm, by number of the request. */
  readonly propensity?: (request: number) => number;
}

const bounded = () => boundedDifference(DELTA);
const asymptotic = () => asymptoticDifference(DELTA);
const successes =
  (control: number, treated: number): Draw =>
  (random, isTreated) =>
    random() < (isTreated ? treated : control) ? 1 : 0;
/** Log-normal with a standard deviation of 1.5 in the logarithm: the mean is three times the median. */
const costs =
  (factor: number): Draw =>
  (random, isTreated) =>
    (isTreated ? factor : 1) *
    Math.exp(1.5 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
/** Stages of a canary: a quarter of the requests at each of its stages. */
const stages = (request: number) => [0.01, 0.05, 0.25, 0.5][Math.min(3, Math.floor(request / 2_500))]!;
const MEAN_COST = Math.exp(1.5 ** 2 / 2);

/** What is looked at without a sequence: the interval of a sample of fixed size, from a hundred requests on. */
function fixedSample(): DifferenceSequence {
  const arms = [0, 1].map(() => ({ n: 0, total: 0, squares: 0 }));
  return {
    observe({ isTreated, value }) {
      const arm = arms[Number(isTreated)]!;
      arm.n++;
      arm.total += value;
      arm.squares += value * value;
    },
    interval() {
      if (arms.some(({ n }) => n < 50)) return undefined;
      const [control, treated] = arms.map(({ n, total, squares }) => {
        const mean = total / n;
        return { mean, variance: (squares / n - mean * mean) / n };
      });
      const estimate = treated!.mean - control!.mean;
      const radius = 1.96 * Math.sqrt(treated!.variance + control!.variance);
      return { estimate, low: estimate - radius, high: estimate + radius };
    },
  };
}

const WORLDS: readonly World[] = [
  { name: 'success .80, .80; fixed sample', open: fixedSample, draw: successes(0.8, 0.8), truth: 0 },
  { name: 'success .80, .80; bounded', open: bounded, draw: successes(0.8, 0.8), truth: 0 },
  { name: 'success .80, .84; bounded', open: bounded, draw: successes(0.8, 0.84), truth: 0.04 },
  { name: 'success .99, .97; bounded', open: bounded, draw: successes(0.99, 0.97), truth: -0.02 },
  {
    name: 'success .80, .80 in stages; bounded',
    open: bounded,
    draw: successes(0.8, 0.8),
    truth: 0,
    propensity: stages,
  },
  {
    name: 'success .80, .70 in stages; bounded',
    open: bounded,
    draw: successes(0.8, 0.7),
    truth: -0.1,
    propensity: stages,
  },
  { name: 'success .80, .80; asymptotic', open: asymptotic, draw: successes(0.8, 0.8), truth: 0 },
  { name: 'success .80, .84; asymptotic', open: asymptotic, draw: successes(0.8, 0.84), truth: 0.04 },
  { name: 'cost, log-normal, equal; asymptotic', open: asymptotic, draw: costs(1), truth: 0 },
  { name: 'cost, log-normal, +20 %; asymptotic', open: asymptotic, draw: costs(1.2), truth: 0.2 * MEAN_COST },
];

interface Outcome {
  /** Requests until 0 was outside of the interval; undefined: never. */
  readonly foundAt: number | undefined;
  readonly wrongSign: boolean;
  /** Some interval was without the true difference. */
  readonly missed: boolean;
}

function simulate({ open, draw, truth, propensity = () => 0.5 }: World, seed: number): Outcome {
  const random = seededRandom(seed);
  const sequence = open();
  let foundAt: number | undefined;
  let wrongSign = false;
  let missed = false;
  for (let request = 0; request < 2 * ARM_REQUESTS; request++) {
    const p = propensity(request);
    const isTreated = random() < p;
    sequence.observe({ isTreated, propensity: p, value: draw(random, isTreated) });
    const interval = sequence.interval();
    if (interval === undefined) continue;
    missed ||= interval.low > truth || interval.high < truth;
    if (foundAt !== undefined || (interval.low <= 0 && interval.high >= 0)) continue;
    foundAt = request + 1;
    wrongSign = interval.low > 0 ? truth < 0 : truth > 0;
  }
  return { foundAt, wrongSign, missed };
}

function differenceTable({ runs, seed }: Flags): void {
  print(
    `| ${2 * ARM_REQUESTS} requests | runs | 0 outside, % (95 %) | wrong sign | truth ever outside, % (95 %) | found after, median |\n| --- | ---: | ---: | ---: | ---: | ---: |\n`,
  );
  for (const world of WORLDS) {
    const n = world.truth === 0 ? runs : Math.ceil(runs / 2);
    const outcomes = Array.from({ length: n }, (_, run) => simulate(world, seed + run));
    const found = outcomes.flatMap(({ foundAt }) => foundAt ?? []).sort((a, b) => a - b);
    const wrong = outcomes.filter(({ wrongSign }) => wrongSign).length;
    const missed = outcomes.filter((one) => one.missed).length;
    const median = found.length * 2 > n ? `${found[Math.floor(n / 2)] ?? found.at(-1)}` : '-';
    print(
      `| ${world.name} | ${n} | ${shareText(found.length, n)} | ${world.truth === 0 ? '-' : wrong} | ${shareText(missed, n)} | ${median} |\n`,
    );
  }
}

function ratioTable({ runs, seed }: Flags): void {
  print(
    `\n| ${2 * ARM_REQUESTS} units meant to be halved | runs | alarms, % (95 %) |\n| --- | ---: | ---: |\n`,
  );
  for (const share of [0.5, 0.52, 0.55]) {
    const n = share === 0.5 ? runs : Math.ceil(runs / 2);
    const alarms = Array.from({ length: n }, (_, run) => {
      const random = seededRandom(seed + run);
      const ratio = sampleRatioTest();
      for (let unit = 0; unit < 2 * ARM_REQUESTS; unit++) ratio.observe(random() < share ? 0 : 1, [0.5, 0.5]);
      return ratio.pValue() <= DELTA;
    }).filter(Boolean).length;
    print(`| ${share} come to the first arm | ${n} | ${shareText(alarms, n)} |\n`);
  }
}

const DELAYED: readonly (DelayedArms & { readonly name: string })[] = [
  { name: '30 ms, 4 s; in the order of the ends', latencyMs: [30, 4_000], order: 'ended' },
  { name: '30 ms, 4 s; in the order of arrival', latencyMs: [30, 4_000], order: 'arrived' },
  { name: '30 ms, 300 ms; in the order of the ends', latencyMs: [30, 300], order: 'ended' },
  { name: '30 ms, 300 ms; in the order of arrival', latencyMs: [30, 300], order: 'arrived' },
];

function delayTable({ runs, seed }: Flags): void {
  print(
    `\n| ${DELAYED_REQUESTS} requests, ${REQUESTS_A_SECOND} a second, success ${SUCCESS} in both arms; replies take | runs | success: 0 outside, % (95 %) | shares: alarms, % (95 %) |\n| --- | ---: | ---: | ---: |\n`,
  );
  for (const arms of DELAYED) {
    const all = Array.from({ length: runs }, (_, run) => runDelayed(arms, seed + run));
    const found = all.filter(({ isFound }) => isFound).length;
    const alarms = all.filter(({ isAlarm }) => isAlarm).length;
    print(`| ${arms.name} | ${runs} | ${shareText(found, runs)} | ${shareText(alarms, runs)} |\n`);
  }
}

function shareText(count: number, n: number): string {
  const { low, high } = clopperPearsonInterval(count, n, DELTA);
  const percent = (share: number) => (100 * share).toFixed(1);
  return `${percent(count / n)} (${percent(low)} to ${percent(high)})`;
}

const CANDIDATES: readonly (Candidate & { readonly name: string })[] = [
  { name: 'loses .30, three times the limit', errors: CONTROL_ERRORS, loss: 0.3, reversed: 0 },
  { name: 'the same, 5 % of the grades reversed', errors: CONTROL_ERRORS, loss: 0.3, reversed: 0.05 },
  { name: 'loses .05, half the limit', errors: CONTROL_ERRORS, loss: 0.05, reversed: 0 },
  { name: 'loses nothing, 5 % of the grades reversed', errors: CONTROL_ERRORS, loss: 0, reversed: 0.05 },
  { name: 'loses .05, fails in 10 %, not in 1 %', errors: 0.1, loss: 0.05, reversed: 0 },
];

function canaryTable({ runs, seed }: Flags): void {
  const n = Math.ceil(runs / 5);
  print(
    `\n| candidate; audits may lose ${CANARY.rules.maxAuditLoss} | runs | promoted, % (95 %) | rolled back, % (95 %) | within 200 audits, % | audits, requests until the end (median; 95th percentile) |\n| --- | ---: | ---: | ---: | ---: | ---: |\n`,
  );
  for (const candidate of CANDIDATES) {
    const all = Array.from({ length: n }, (_, run) => runCanary(candidate, seed + run));
    const back = all.filter(({ end }) => end === 'rolled-back');
    const promoted = all.filter(({ end }) => end === 'promoted').length;
    const soon = back.filter(({ audits }) => audits <= 200).length;
    const at = (field: 'audits' | 'requests', share: number) =>
      all.map((one) => one[field]).sort((a, b) => a - b)[Math.floor(share * (n - 1))];
    const ends = [0.5, 0.95].map((share) => `${at('audits', share)}, ${at('requests', share)}`).join('; ');
    print(
      `| ${candidate.name} | ${n} | ${shareText(promoted, n)} | ${shareText(back.length, n)} | ${((100 * soon) / n).toFixed(1)} | ${ends} |\n`,
    );
  }
}

const isWanted = (part: Flags['only']) => flags.only === undefined || flags.only === part;
if (isWanted('differences')) {
  differenceTable(flags);
  ratioTable(flags);
}
if (isWanted('delays')) delayTable(flags);
if (isWanted('canary')) canaryTable(flags);
