import path from 'node:path';
import { z } from 'zod';
import { PlimsollError } from '../../router/errors.ts';
import { PACKAGE_FOLDER } from '../../router/package.ts';
import { normalQuantile, quantile } from '../../router/statistics/index.ts';
import { readJsonFile } from '../case-files/index.ts';
import type { QualityRow } from './qualities.ts';
import { estimateQualities, type Spread } from './quality-estimates.ts';
import type { RankingPrior } from './worlds.ts';

/** What is known beforehand, from public sets. */
export interface Priors {
  readonly qualities: readonly QualityRow[];
  /** With the pairs of models that they were measured on. */
  readonly ranking: {
    readonly [Part in keyof RankingPrior]: RankingPrior[Part] & { readonly pairs: number };
  };
  /** Gains of a cheaper model, as a part of what independent models would have; nine of ten pairs are between the ends. */
  readonly agreement: { readonly mean: number; readonly low: number; readonly high: number };
  /** How far data sets are from each other. */
  readonly spread: Spread;
}

const share = z.number().min(0).max(1);
const name = z.string().min(1);

/** Two models on the same requests; `gap`: by how much the strong one is better. */
const comparison = {
  source: name,
  cheap: name,
  strong: name,
  n: z.int().min(1),
  gap: z.number().gt(0),
};

/** The file that ships: aggregates of public sets whose licence permits it, no prompt and no reply. */
export const priorsSchema = z.strictObject({
  schema_version: z.literal(1),
  description: z.string(),
  qualities: z
    .array(z.strictObject({ model: name, task: name, source: name, quality: share, n: z.int().min(1) }))
    .min(1),
  /** Cross-validated routers within one data set. */
  rankings: z
    .array(
      z.strictObject({
        ...comparison,
        /** Mean square of the difference between both qualities. */
        discordant: share,
        apgr: share,
        /** Requests that the cheap model alone gets right, as a part of what independent models would have. */
        agreement: z.number().min(0),
      }),
    )
    .min(2),
  /** The same routers over all parts of a set. */
  recognition: z
    .array(
      z.strictObject({
        ...comparison,
        tasks: z.int().min(2),
        /** The share of requests whose task is not recognised at which `routedAt` comes nearest to the measured curve. */
        unrecognised: share,
      }),
    )
    .min(2),
});

export const PRIORS_FILE = path.join(PACKAGE_FOLDER, 'training-data/design-priors.json');

/**
 * The priors that ship, or those of another file of the same form.
 * @param without data sets to leave out, by how their source begins: an evaluation leaves out what it is about
 * @throws PlimsollError `invalid-input`: it is no such file; `not-found` or `io`: it cannot be read
 */
export function readPriors(file = PRIORS_FILE, without: readonly string[] = []): Priors {
  const parsed = priorsSchema.safeParse(readJsonFile(file, () => noPriors(file, 'it is not JSON')));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw noPriors(file, `${issue?.path.join('.')}: ${issue?.message}`);
  }
  const isKept = ({ source }: { readonly source: string }) => !without.some((one) => source.startsWith(one));
  const qualities = parsed.data.qualities.filter(isKept);
  const rankings = parsed.data.rankings.filter(isKept);
  const agreements = rankings.map(({ agreement }) => agreement);
  return {
    qualities,
    ranking: {
      delta: deltaOf(rankings),
      unrecognised: spreadOf(parsed.data.recognition.filter(isKept)),
    },
    agreement: {
      mean: weightedMean(
        agreements,
        rankings.map(({ n }) => n),
      ),
      low: quantile(agreements, 0.05),
      high: quantile(agreements, 0.95),
    },
    spread: estimateQualities(qualities).spread,
  };
}

/** The delta that measured rankings let expect. */
export function meanDelta(rankings: readonly MeasuredRanking[]): number {
  return deltaOf(rankings).mean;
}

export type MeasuredRanking = z.output<typeof priorsSchema>['rankings'][number];

/**
 * The distribution of delta between data sets and pairs, by moments with weights by their sampling error (DerSimonian and Laird 1986): a new pair on new
 * requests has the mean's error and the whole spread between pairs.
 */
function deltaOf(rankings: readonly MeasuredRanking[]): Priors['ranking']['delta'] {
  if (rankings.length < 2)
    throw new PlimsollError(
      'insufficient-data',
      'How routers rank is known of fewer than two pairs of models.',
    );
  const deltas = rankings.map(({ apgr }) => Math.SQRT2 * normalQuantile(apgr));
  const variances = rankings.map((one, i) => samplingVariance(deltas[i]!, one));
  const fixed = variances.map((variance) => 1 / variance);
  const total = sum(fixed);
  const mean = sum(deltas.map((delta, i) => fixed[i]! * delta)) / total;
  const q = sum(deltas.map((delta, i) => fixed[i]! * (delta - mean) ** 2));
  const between = Math.max(
    0,
    (q - (deltas.length - 1)) / (total - sum(fixed.map((one) => one * one)) / total),
  );
  const weights = variances.map((variance) => 1 / (variance + between));
  const random = sum(deltas.map((delta, i) => weights[i]! * delta)) / sum(weights);
  return { mean: random, sd: Math.sqrt(between + 1 / sum(weights)), pairs: rankings.length };
}

/** Each set counts alike, however many pairs it has: pairs of one set share their requests. */
function spreadOf(
  recognition: readonly { readonly source: string; readonly unrecognised: number }[],
): Priors['ranking']['unrecognised'] {
  if (recognition.length < 2)
    throw new PlimsollError(
      'insufficient-data',
      'How routers tell tasks apart is known of fewer than two pairs.',
    );
  const sizes = new Map<string, number>();
  for (const { source } of recognition) sizes.set(source, (sizes.get(source) ?? 0) + 1);
  const weights = recognition.map(({ source }) => 1 / sizes.get(source)!);
  const values = recognition.map(({ unrecognised }) => unrecognised);
  const mean = weightedMean(values, weights);
  const variance = weightedMean(
    values.map((value) => (value - mean) ** 2),
    weights,
  );
  return { mean, sd: Math.sqrt(variance), pairs: recognition.length };
}

/**
 * APGR is a ratio of means: gains weighted by uniform ranks, over gains. Its variance is about E[gain^2] / (12 n gap^2), and that of delta by the delta
 * method.
 */
function samplingVariance(delta: number, { n, gap, discordant }: MeasuredRanking): number {
  const slope = Math.exp(-(delta ** 2) / 4) / (2 * Math.sqrt(Math.PI));
  return discordant / (12 * n * gap ** 2) / slope ** 2;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, one) => total + one, 0);
}

function weightedMean(values: readonly number[], weights: readonly number[]): number {
  return sum(values.map((value, i) => value * weights[i]!)) / sum(weights);
}

function noPriors(file: string, reason: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file} has no priors of a design: ${reason}. Restore it from the package.`,
    {
      place: { file },
    },
  );
}
