import { hash } from 'node:crypto';
import type { Limit, LimitWindow } from '../access/index.ts';
import { PlimsollError } from '../errors.ts';
import { isObject } from '../json/index.ts';
import { nearestName } from '../nearest-name.ts';

/** The name of requests that are for no profile. */
export const NO_PROFILE = 'default';

/** By what requests stay on one arm. Requests that have none of it are drawn one by one. */
export const UNITS = ['session', 'key', 'request'] as const;
export type UnitKind = (typeof UNITS)[number];

interface Randomized {
  readonly name: string;
  /** The profiles whose requests take part; `default`: requests without a profile. */
  readonly profile: string;
  readonly unit: UnitKind;
  /** Confidence of its intervals, and of the canary's rules together. */
  readonly confidence: number;
}

/** One of the ways that requests of an experiment may go. */
export interface Arm {
  readonly name: string;
  /** The profile that decides; `default`: the configuration itself. */
  readonly profile: string;
  /** Probability, above 0. */
  readonly weight: number;
}

/** Requests are shared among profiles. The first arm is the one that the others are compared with. */
export interface Split extends Randomized {
  readonly kind: 'split';
  /** At least two; their weights sum to 1. */
  readonly arms: readonly Arm[];
}

/** What must hold of the candidate compared with the profile itself. What is undefined is not asked. */
export interface CanaryRules {
  /** By how much its share of failed replies may be higher. */
  readonly maxErrorIncrease: number | undefined;
  /** By which share replies may take longer, and cost more, in the mean. */
  readonly maxLatencyIncrease: number | undefined;
  readonly maxCostIncrease: number | undefined;
  /** By how much the mean score of feedback may be lower. */
  readonly maxScoreDecrease: number | undefined;
  /** Mean loss of its audited requests. */
  readonly maxAuditLoss: number | undefined;
}

/** A profile that is to take the place of another one, by a rising share of its requests. */
export interface Canary extends Randomized {
  readonly kind: 'canary';
  readonly candidate: string;
  /** Ascending, the last one 1. */
  readonly stages: readonly number[];
  /** What a stage lasts at least: requests of the candidate, its audits since the start, and time. */
  readonly minRequests: number;
  readonly minAudits: number;
  readonly holdMs: number;
  readonly rules: CanaryRules;
}

/** The stream of the state that the calls of shadows are in. */
export const SHADOWED = 'shadows';

/** A share of the requests is also asked of others, whose replies go to nobody. */
export interface Shadow {
  readonly kind: 'shadow';
  readonly name: string;
  readonly profile: string;
  /** Models by name, or the profile that decides. */
  readonly to: { readonly models: readonly string[] } | { readonly profile: string };
  readonly share: number;
  readonly spend: LimitWindow;
  /** Mirrored requests at work at once; further ones are dropped and counted. */
  readonly maxConcurrent: number;
}

export type Experiment = Split | Canary | Shadow;

/** The arms of a canary, in the order in which they are drawn: whoever had the candidate has it at each later stage. */
export const CANDIDATE = 'candidate';
export const CONTROL = 'control';

/** @param share of the candidate, 0 to 1 */
export function canaryArms(
  { profile, candidate }: Pick<Canary, 'profile' | 'candidate'>,
  share: number,
): readonly Arm[] {
  return [
    { name: CANDIDATE, profile: candidate, weight: share },
    { name: CONTROL, profile, weight: 1 - share },
  ];
}

/** @throws PlimsollError `not-found` if the configuration has none of that name */
export function experimentNamed(name: string, experiments: readonly Experiment[]): Experiment {
  const found = experiments.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = experiments.map((one) => one.name);
  const near = nearestName(name, names);
  throw new PlimsollError(
    'not-found',
    `The configuration has no experiment "${name}".${near === undefined ? '' : ` Did you mean "${near}"?`} There are: ${names.join(', ') || 'none'}.`,
    { place: { field: 'experiments' } },
  );
}

/** The profiles that an experiment sends requests to. */
export function profilesOf(experiment: Experiment): readonly string[] {
  if (experiment.kind === 'split') return experiment.arms.map(({ profile }) => profile);
  if (experiment.kind === 'canary') return [experiment.profile, experiment.candidate];
  return 'profile' in experiment.to ? [experiment.to.profile] : [];
}

/** The caps of shadows, as limits of the ledger. */
export function shadowLimits(shadows: readonly Shadow[]): Limit[] {
  return shadows.map(({ name, spend }) => ({
    for: { experiment: name },
    windows: [spend],
    field: `experiments.${name}.spend`,
  }));
}

/**
 * The profiles that a client gets replies of because of an experiment: each needs a standing of its own. The experiment's own profile would decide without it.
 * No client gets a shadow's replies.
 */
export function armProfiles(experiment: Experiment): readonly string[] {
  if (experiment.kind === 'shadow') return [];
  return profilesOf(experiment).filter((profile) => profile !== experiment.profile);
}

/** Changes with the definition: results before and after a change are not of one experiment. */
export function definitionHash(experiment: Experiment): string {
  return hash('sha256', JSON.stringify(experiment, sortedFields)).slice(0, 16);
}

function sortedFields(_: string, value: unknown): unknown {
  return isObject(value) ? Object.fromEntries(Object.entries(value).sort()) : value;
}
