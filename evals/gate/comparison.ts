import path from 'node:path';
import { z } from 'zod';
import { type Condition, conditionSchema, sha256OfJson } from '../../router/artifact/index.ts';
import { replaceFile } from '../../router/files/index.ts';
import { bootstrapMeanInterval, escalationRate, mean, qualityLosses } from '../../router/statistics/index.ts';
import {
  amountsAt,
  type Bets,
  decisionScores,
  lossLowerBound,
  lossUpperBound,
  rungsAt,
} from '../threshold/index.ts';
import { meanAtMost } from './judge.ts';
import type { Replay } from './replay.ts';

interface ComparisonSettings {
  /** The order in which the bounds take the cases, and which of them are one draw. It must not depend on outcomes. */
  readonly bets: Bets;
  /** How much worse the challenger may be and still take the champion's place, 0..1. */
  readonly tolerance: number;
  /** Confidence of each one-sided bound, in [.5, 1). */
  readonly confidence: number;
}

/** What a policy does with the cases: the rung of each, and what each costs in all; undefined unless every cost is known. Shape [n] */
export interface Routed {
  readonly rungs: Int32Array;
  readonly costUsd: Float64Array | undefined;
}

/** The cases at a threshold, of a cascade with its cheap calls. */
export function routedAt(replay: Replay, threshold: number): Routed {
  const rungs = rungsAt(decisionScores(replay), threshold);
  const costs = amountsAt(replay.costUsd, threshold, replay.cascade);
  return {
    rungs,
    costUsd: costs.includes(undefined)
      ? undefined
      : Float64Array.from(rungs, (rung, row) => costs[rung]![row]!),
  };
}

/**
 * Compares two policies by what each makes of the same cases. Per case d = q(routed by champion) - q(routed by challenger), in
 * [-1, 1], and with one-sided betting bounds of its mean:
 *
 *   better: upper < 0; not-worse: upper <= tolerance; worse: lower > tolerance; else undecided
 *
 * Pairing takes out what makes a case hard for both; if the two route alike, d is 0. O(n), and 1,000 n if costs are known.
 *
 * @param quality what each candidate reached on the cases, `[rung][case]`; n of at least 1
 * @throws PlimsollError `invalid-input`: no cases, a confidence or a tolerance out of range
 * @see Waudby-Smith and Ramdas, arXiv 2010.09686 (the bounds; router/statistics/betting.ts)
 */
export function comparePolicies(
  quality: Replay['quality'],
  champion: Routed,
  challenger: Routed,
  { bets, tolerance, confidence }: ComparisonSettings,
): Measured {
  const delta = 1 - confidence;
  const ofChampion = qualityLosses(quality, champion.rungs);
  const ofChallenger = qualityLosses(quality, challenger.rungs);
  const drops = ofChallenger.map((loss, row) => loss - ofChampion[row]!);
  const qualityDrop = meanAtMost('not-worse-than-champion', bets, drops, { max: tolerance, delta });
  const escalated = Float64Array.from(
    challenger.rungs,
    (rung, row) => Number(rung > 0) - Number(champion.rungs[row]! > 0),
  );
  return {
    result: judgeDrop(qualityDrop),
    quality_drop: qualityDrop,
    escalation_difference: bounded(bets, escalated, delta),
    cost_difference_usd: costDifference(champion.costUsd, challenger.costUsd, confidence),
    champion: policyFigures(bets, champion, ofChampion, delta),
    challenger: policyFigures(bets, challenger, ofChallenger, delta),
  };
}

function judgeDrop({ verdict, bounds: { upper } }: Condition): Measured['result'] {
  if (upper !== null && upper < 0) return 'better';
  if (verdict === 'PASS') return 'not-worse';
  return verdict === 'FAIL' ? 'worse' : 'undecided';
}

function policyFigures(
  bets: Bets,
  { rungs, costUsd }: Routed,
  losses: Float64Array,
  delta: number,
): PolicyFigures {
  return {
    escalation_rate: escalationRate(rungs),
    quality_loss: bounded(bets, losses, delta),
    cost_usd: costUsd === undefined ? null : mean(costUsd),
  };
}

function bounded(bets: Bets, values: Float64Array, delta: number): Bounded {
  return {
    value: mean(values),
    lower: lossLowerBound(bets, values, delta),
    upper: lossUpperBound(bets, values, delta),
  };
}

/** A case is drawn with both its costs. */
function costDifference(
  champion: Float64Array | undefined,
  challenger: Float64Array | undefined,
  level: number,
): Measured['cost_difference_usd'] {
  if (champion === undefined || challenger === undefined) return null;
  const paired = challenger.map((cost, row) => cost - champion[row]!);
  return { value: mean(paired), ...bootstrapMeanInterval(paired, level), level };
}

/** Next to the challenger's verdict.json. */
const COMPARISON_FILE = 'comparison.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex');
const share = z.number().min(0).max(1);

/** One-sided betting bounds, each at the confidence of `quality_drop`. */
const boundedSchema = z.strictObject({ value: z.number(), lower: z.number(), upper: z.number() });

const figuresSchema = z.strictObject({
  escalation_rate: share,
  /** Mean of q(strongest) - q(routed). */
  quality_loss: boundedSchema,
  /** Mean US dollars a case; null unless every case's cost is known. */
  cost_usd: z.number().nullable(),
});

/** better: upper < 0; not-worse: upper <= tolerance; worse: lower > tolerance; else undecided. */
const resultSchema = z.enum(['better', 'not-worse', 'worse', 'undecided']);

/** What two policies do to the same cases. Differences of rate and cost are challenger minus champion. */
export const measuredSchema = z.strictObject({
  result: resultSchema,
  /** The mean of q(by champion) - q(by challenger): value, bounds, the tolerance as its limit, further cases. */
  quality_drop: conditionSchema,
  escalation_difference: boundedSchema,
  /** Percentile bootstrap, two-sided: costs have no upper end, so it describes the spread and bounds nothing. */
  cost_difference_usd: z
    .strictObject({ value: z.number(), low: z.number(), high: z.number(), level: share })
    .nullable(),
  champion: figuresSchema,
  challenger: figuresSchema,
});

const sideSchema = z.strictObject({ name: z.string().min(1), sha256, threshold: z.number().min(-1).max(1) });

const contentSchema = z.strictObject({
  schema_version: z.literal(1),
  issued: z.iso.datetime(),
  /** Names, sha256 of their manifest.json, and thresholds: the comparison speaks of these two and no others. */
  champion: sideSchema,
  challenger: sideSchema,
  suite: z.strictObject({ name: z.string().min(1), sha256 }),
  sealed: z.strictObject({ n: z.int().positive(), sha256 }),
  /** The cases that were compared on: those that no earlier look has seen, or all of them. */
  compared_on: z.strictObject({ n: z.int().positive(), fresh: z.boolean() }).optional(),
  measured: measuredSchema,
  tools: z.record(z.string(), z.string()),
});

/** `comparison.json`: a challenger compared with the champion on the sealed cases, bound to both and to itself by `sha256`. */
export const comparisonSchema = contentSchema.extend({ sha256 });

export type Comparison = z.infer<typeof comparisonSchema>;
type ComparisonContent = z.infer<typeof contentSchema>;
export type Measured = z.infer<typeof measuredSchema>;
type PolicyFigures = z.infer<typeof figuresSchema>;
export type Bounded = z.infer<typeof boundedSchema>;

/** The comparison with the hash of its content, by which a later change shows. */
export function stampComparison(content: ComparisonContent): Comparison {
  return { ...content, sha256: sha256OfJson(content) };
}

/** Writes it into the challenger's folder, atomically. @throws PlimsollError `io` */
export function writeComparison(folder: string, comparison: Comparison): void {
  replaceFile(path.join(folder, COMPARISON_FILE), `${JSON.stringify(comparison, null, 2)}\n`, {
    what: 'the comparison',
  });
}
