import { arrivalOrder, isRatioAlarm, resultsSoFar } from '../../../router/experiment-results/index.ts';
import type { Split } from '../../../router/experiments/index.ts';
import { seededRandom } from '../../../router/statistics/index.ts';

/** Two arms with the same successes, of which one replies much later. */
export interface DelayedArms {
  /** Until a reply ends. */
  readonly latencyMs: readonly [number, number];
  /** `ended`: records are read as replies end, `arrived`: as `resultsFeed` does, up to the oldest request at work. */
  readonly order: 'ended' | 'arrived';
}

export interface DelayedRun {
  /** 0 was outside of the interval of the difference of successes at some look. */
  readonly isFound: boolean;
  /** The shares were not believed at some look. */
  readonly isAlarm: boolean;
}

export const DELAYED_REQUESTS = 1_200;
export const REQUESTS_A_SECOND = 40;
export const SUCCESS = 0.99;

const SPLIT: Split = {
  name: 'delayed',
  kind: 'split',
  profile: 'default',
  arms: ['now', 'late'].map((name) => ({ name, profile: name, weight: 0.5 })),
  unit: 'request',
  confidence: 0.95,
};

/** One experiment, looked at after every reply. */
export function runDelayed({ latencyMs, order }: DelayedArms, seed: number): DelayedRun {
  const random = seededRandom(seed);
  const results = resultsSoFar(SPLIT, 0, 1 - SPLIT.confidence);
  const ordered = arrivalOrder(results);
  const events = Array.from({ length: DELAYED_REQUESTS }, (_, i) => {
    const arriveMs = Math.floor((1_000 * i) / REQUESTS_A_SECOND);
    const arm = random() < 0.5 ? 0 : 1;
    return { i, arm, arriveMs, endMs: arriveMs + latencyMs[arm]!, isGood: random() < SUCCESS };
  }).sort((a, b) => a.endMs - b.endMs);
  /** The earliest arrival of those that end after each. */
  const oldest = new Float64Array(events.length).fill(Number.POSITIVE_INFINITY);
  for (let e = events.length - 2; e >= 0; e--) oldest[e] = Math.min(oldest[e + 1]!, events[e + 1]!.arriveMs);
  let [isFound, isAlarm] = [false, false];
  for (const [ended, { i, arm, arriveMs, endMs, isGood }] of events.entries()) {
    const record = {
      id: String(i),
      time: new Date(arriveMs).toISOString(),
      operation: 'chat',
      status: isGood ? 200 : 502,
      ended: 'whole',
      duration_ms: endMs - arriveMs,
      experiment: { name: SPLIT.name, arm: SPLIT.arms[arm]!.name, propensity: 0.5, unit: String(i) },
    } as Parameters<typeof results.decision>[0];
    if (order === 'ended') results.decision(record);
    else {
      ordered.decision(record);
      ordered.handOn(Math.min(oldest[ended]!, endMs));
    }
    const found = results.results();
    const { low = 0, high = 0 } = found.arms[1]!.differences.success ?? {};
    isFound ||= low > 0 || high < 0;
    isAlarm ||= isRatioAlarm(SPLIT, found);
  }
  return { isFound, isAlarm };
}
