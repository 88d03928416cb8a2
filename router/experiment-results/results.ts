import { NANO } from '../catalog/index.ts';
import { CANDIDATE, type Canary, CONTROL, type Split } from '../experiments/index.ts';
import type { WorkRecord } from '../people/index.ts';
import { RecentMap } from '../recent-map.ts';
import { type DecisionRecord, HANDED_OFF, type WorkUse, workUseOf } from '../records/index.ts';
import {
  asymptoticDifference,
  boundedDifference,
  type DifferenceInterval,
  type DifferenceSequence,
  eProcess,
  type SampleRatioTest,
  sampleRatioTest,
} from '../statistics/index.ts';
import type { AssignedRecord } from './arrival-order.ts';
import { type LastStage, lastStage } from './last-stage.ts';
import { byMetric, type ControlFactors, isBounded, type Metric } from './metrics.ts';

/** Units and decisions that are remembered: of older ones feedback is not counted, and a unit that comes again counts anew. */
const REMEMBERED = 100_000;

export interface ArmMean {
  readonly n: number;
  readonly mean: number | undefined;
}

export interface ArmResults {
  readonly arm: string;
  readonly requests: number;
  /** Sessions, keys or requests, as the experiment assigns them. */
  readonly units: number;
  readonly spentUsd: number;
  readonly means: Readonly<Record<Metric, ArmMean>>;
  /** Audited requests: quality of the strongest model's reply minus that of the reply that went out. */
  readonly auditLoss: ArmMean;
  /** Compared with the first arm; undefined: nothing can be said, or it is the first one. */
  readonly differences: Readonly<Record<Metric, DifferenceInterval | undefined>>;
}

export interface ExperimentResults {
  /** The first one is what the others are compared with. */
  readonly arms: readonly ArmResults[];
  /** The p-value of the units' shares: at most 1 - confidence if the assignment or the recording is wrong. */
  readonly sampleRatioPValue: number;
  /** For a canary whose candidate has all requests now: compared with its profile's before. */
  readonly lastStage: LastStage | undefined;
}

/** Adds up what happened in one experiment since it was started. Records must come in the order in which the requests arrived. */
export interface ResultsSoFar {
  /** Whether it is a request of this experiment that counts. */
  isCounted(record: AssignedRecord): boolean;
  /** One that does not count is passed over. */
  decision(record: AssignedRecord): void;
  /** What people came to on a request: a reply of theirs counts once it is there, and work that came to nothing is paid for. */
  people(work: WorkRecord): void;
  score(decisionId: string, score: number): void;
  audit(decisionId: string, loss: number): void;
  results(): ExperimentResults;
  /** The arm that a request went to, if it is remembered. */
  armOf(decisionId: string): string | undefined;
}

interface Assigned {
  readonly arm: number;
  /** For each arm its probability in a comparison with the first one; undefined for the first one itself. */
  readonly chances: readonly (number | undefined)[];
  readonly isFirstOfUnit: boolean;
  /** What becomes of the work of people on it. */
  readonly work: WorkUse;
  /** What it says about the last stage of a canary; undefined: nothing. */
  readonly side: 'candidate' | 'control' | undefined;
}

/**
 * Sequences take the first request of each unit: later ones of a session follow from the arm that it is on, so they say nothing of their own about chance.
 * Means and spending take all.
 * @param delta of each interval
 */
export function resultsSoFar(
  experiment: Split | Canary,
  startedMs: number,
  delta: number,
  factors: ControlFactors = {},
): ResultsSoFar {
  const names = armNames(experiment);
  const tallies = names.map(() => tallyOf(delta));
  const units = new RecentMap<true>(REMEMBERED);
  const decisions = new RecentMap<Assigned>(REMEMBERED);
  const ratio: SampleRatioTest = sampleRatioTest();
  let areOtherWeights = false;
  const last = experiment.kind === 'canary' ? lastStage(delta, factors) : undefined;
  const unitsOfLast = new RecentMap<true>(REMEMBERED);

  /** As they were at the time of the request: the definition may have been changed since. Of three arms and more a record does not say all of them. */
  function propensities({ arm, propensity }: NonNullable<DecisionRecord['experiment']>): readonly number[] {
    if (names.length === 2)
      return arm === names[0] ? [propensity, 1 - propensity] : [1 - propensity, propensity];
    const weights = experiment.kind === 'split' ? experiment.arms.map(({ weight }) => weight) : [];
    if (Math.abs((weights[names.indexOf(arm)] ?? 0) - propensity) > 1e-9) areOtherWeights = true;
    return weights;
  }

  /** At the last stage everybody is with the candidate, also who was not before: the first request of each unit at that stage counts. */
  function sideOf(
    { arm, unit, propensity }: NonNullable<DecisionRecord['experiment']>,
    isFirstOfUnit: boolean,
  ): Assigned['side'] {
    if (arm === CONTROL) return isFirstOfUnit ? 'control' : undefined;
    if (propensity < 1 || unitsOfLast.get(unit) !== undefined) return undefined;
    unitsOfLast.set(unit, true);
    return 'candidate';
  }

  function observe(metric: Metric, { arm, chances, isFirstOfUnit, side }: Assigned, value: number): void {
    const mean = tallies[arm]!.means[metric];
    mean.n++;
    mean.total += value;
    if (side !== undefined) last?.observe(metric, side === 'candidate', value);
    if (!isFirstOfUnit) return;
    const isTreated = arm > 0;
    const compared = isTreated ? value : value * (factors[metric] ?? 1);
    for (const [other, { sequences }] of tallies.entries()) {
      const propensity = chances[other];
      if (propensity === undefined || (isTreated && other !== arm)) continue;
      sequences[metric].observe({ isTreated, propensity, value: compared });
    }
  }

  function isCounted({ experiment: own, operation, time }: AssignedRecord): boolean {
    if (own?.name !== experiment.name || operation !== 'chat') return false;
    return Date.parse(time) >= startedMs && names.includes(own.arm);
  }

  function addWork(
    assigned: Assigned,
    { outcome, waited_ms: waitedMs, cost_nano_usd: cost }: WorkRecord,
  ): void {
    const { work, arm } = assigned;
    if (work.kind === 'counted') return;
    const costUsd = cost / NANO;
    tallies[arm]!.spentUsd += costUsd;
    if (work.kind === 'extra') observe('cost_usd', assigned, work.costUsd + costUsd);
    if (work.kind !== 'reply' || outcome === 'withdrawn') return;
    observe('success', assigned, outcome === 'answered' ? 1 : 0);
    if (outcome !== 'answered') return;
    observe('cost_usd', assigned, costUsd);
    observe('duration_ms', assigned, waitedMs);
  }

  return {
    isCounted,
    decision(record) {
      const own = record.experiment;
      if (own === undefined || !isCounted(record)) return;
      const arm = names.indexOf(own.arm);
      const tally = tallies[arm];
      if (tally === undefined) return;
      const shares = propensities(own);
      const chances = shares.map((_, i) => pairChance(shares, i));
      const isFirstOfUnit = units.get(own.unit) === undefined;
      if (isFirstOfUnit) {
        units.set(own.unit, true);
        tally.units++;
        if ((shares[arm] ?? 0) > 0) ratio.observe(arm, shares);
      }
      const success = successOf(record);
      const work = workUseOf(record, success === 1);
      const side = last && sideOf(own, isFirstOfUnit);
      const assigned: Assigned = { arm, chances, isFirstOfUnit, side, work };
      decisions.set(record.id, assigned);
      tally.requests++;
      tally.spentUsd += record.cost_usd ?? 0;
      if (success !== undefined) observe('success', assigned, success);
      if (success !== 1) return; // what a failed reply cost and took says nothing of a reply
      if (record.cost_usd !== undefined && work.kind !== 'extra')
        observe('cost_usd', assigned, record.cost_usd);
      observe('duration_ms', assigned, record.duration_ms);
    },
    people(work) {
      const assigned = decisions.get(work.decision_id);
      if (assigned !== undefined) addWork(assigned, work);
    },
    score(decisionId, score) {
      const assigned = decisions.get(decisionId);
      if (assigned !== undefined) observe('score', assigned, score);
    },
    audit(decisionId, loss) {
      const assigned = decisions.get(decisionId);
      if (assigned === undefined) return;
      const tally = tallies[assigned.arm]!;
      tally.audits.n++;
      tally.audits.total += loss;
    },
    results: () => ({
      arms: tallies.map((tally, arm) => ({
        arm: names[arm]!,
        requests: tally.requests,
        units: tally.units,
        spentUsd: tally.spentUsd,
        means: byMetric((metric) => meanOf(tally.means[metric])),
        auditLoss: meanOf(tally.audits),
        differences: byMetric((metric) =>
          arm === 0 || areOtherWeights ? undefined : tally.sequences[metric].interval(),
        ),
      })),
      sampleRatioPValue: areOtherWeights ? 1 : ratio.pValue(),
      lastStage: last?.differences(),
    }),
    armOf(decisionId) {
      const found = decisions.get(decisionId);
      return found && names[found.arm];
    },
  };
}

/** The arm that the others are compared with is first. */
function armNames(experiment: Split | Canary): readonly string[] {
  return experiment.kind === 'split' ? experiment.arms.map(({ name }) => name) : [CONTROL, CANDIDATE];
}

/** Undefined also where one of the two cannot be drawn: there is nothing to compare. */
function pairChance(shares: readonly number[], arm: number): number | undefined {
  const [control, own] = [shares[0]!, shares[arm]!];
  return arm === 0 || control === 0 || own === 0 ? undefined : own / (own + control);
}

interface Sum {
  n: number;
  total: number;
}

function tallyOf(delta: number) {
  return {
    requests: 0,
    units: 0,
    spentUsd: 0,
    means: byMetric((): Sum => ({ n: 0, total: 0 })),
    audits: { n: 0, total: 0 } as Sum,
    sequences: byMetric(
      (metric): DifferenceSequence =>
        isBounded(metric) ? boundedDifference(delta) : asymptoticDifference(delta),
    ),
  };
}

function meanOf({ n, total }: Sum): ArmMean {
  return { n, mean: n === 0 ? undefined : total / n };
}

/** 1: a whole reply, 0: none, through a fault of the providers or of Plimsoll. Undefined: the client left, was refused or limited, or people are to reply. */
function successOf({ status, ended, reason }: AssignedRecord): 0 | 1 | undefined {
  if (status === HANDED_OFF) return undefined;
  if (ended === 'client-left' || ended === 'client-stalled' || reason === 'limited') return undefined;
  if (status >= 500 || ended === 'broken' || status === 429) return 0;
  return status < 400 ? 1 : undefined;
}

/** Evidence that the mean loss of audits is above a limit; undefined limit: there is none. */
export function auditEvidence(limit: number | undefined) {
  const process = limit === undefined ? undefined : eProcess(limit);
  let n = 0;
  let total = 0;
  return {
    observe(loss: number) {
      n++;
      total += loss;
      process?.observe(loss);
    },
    status: () => ({ n, mean: n === 0 ? undefined : total / n, pValue: process?.pValue() ?? 1 }),
  };
}

/** Whether the shares of the arms are so far from those intended that no difference can be trusted. */
export function isRatioAlarm(
  { confidence }: Pick<Split | Canary, 'confidence'>,
  { sampleRatioPValue }: Pick<ExperimentResults, 'sampleRatioPValue'>,
): boolean {
  return sampleRatioPValue <= 1 - confidence;
}
