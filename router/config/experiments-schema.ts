import { z } from 'zod';
import {
  type Canary,
  type Experiment,
  NO_PROFILE,
  profilesOf,
  type Shadow,
  type Split,
  UNITS,
} from '../experiments/index.ts';
import { nearestName } from '../nearest-name.ts';
import { windowSchema } from './limits-schema.ts';

const experimentName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w.-]+$/, 'letters, digits, dot, dash and underscore');

const profile = z
  .string()
  .min(1)
  .default(NO_PROFILE)
  .describe('Whose requests take part; default: those that are for no profile.');
const unit = z
  .enum(UNITS)
  .default('session')
  .describe(
    'What stays on its arm: a session, or an API key. What has none of it is drawn request by request.',
  );
const confidence = z
  .number()
  .min(0.5)
  .lt(1)
  .default(0.95)
  .describe('Of its intervals at all times together, and of all rules of a canary together.');

const split = z
  .strictObject({
    kind: z.literal('split'),
    profile,
    arms: z
      .record(
        experimentName,
        z.strictObject({
          profile: z.string().min(1).describe('The profile that decides; default: the configuration itself.'),
          weight: z.number().gt(0).lt(1).describe('Its share of the requests.'),
        }),
      )
      .describe('Name -> profile and weight, two at least. The others are compared with the first one.'),
    unit,
    confidence,
  })
  .superRefine(({ arms }, context) => {
    const entries = Object.entries(arms);
    const fault = (message: string, path: string[] = []) =>
      context.addIssue({ code: 'custom', message, path: ['arms', ...path] });
    if (entries.length < 2 || entries.length > 20) fault('must be two arms at least, and 20 at most');
    const sum = entries.reduce((total, [, { weight }]) => total + weight, 0);
    if (Math.abs(sum - 1) > 1e-9)
      fault(`have weights that sum to ${Number(sum.toFixed(9))}: they must sum to 1`);
    for (const [i, [name, { profile: own }]] of entries.entries()) {
      const same = entries.slice(0, i).find(([, arm]) => arm.profile === own);
      if (same !== undefined)
        fault(`is the profile ${own}, as ${same[0]} is: two arms that are the same tell nothing`, [
          name,
          'profile',
        ]);
    }
  });

const share = z.number().gt(0).max(1);
const increase = (what: string) => z.number().min(0).max(100).optional().describe(what);

const rules = z
  .strictObject({
    max_error_increase: z
      .number()
      .min(0)
      .max(1)
      .default(0.02)
      .describe('By how much the share of failed answers may be higher than without the candidate.'),
    max_latency_increase: increase('By which share answers may take longer in the mean: 0.2 for a fifth.'),
    max_cost_increase: increase('By which share answers may cost more in the mean.'),
    max_score_decrease: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('By how much the mean score of feedback may be lower.'),
    max_audit_loss: z
      .number()
      .gt(-1)
      .lt(1)
      .optional()
      .describe('Mean loss of its audited requests that may not be passed.'),
  })
  .prefault({});

const canary = z
  .strictObject({
    kind: z.literal('canary'),
    profile,
    candidate: z.string().min(1).describe('The profile that is to take its place.'),
    stages: z
      .array(share)
      .min(1)
      .max(20)
      .default([0.01, 0.05, 0.25, 1])
      .describe('Its shares of the requests, one after the other; the last one is 1.'),
    min_requests: z
      .int()
      .min(1)
      .max(1e9)
      .default(200)
      .describe('Requests of the candidate that a stage lasts at least.'),
    min_audits: z
      .int()
      .min(0)
      .max(1e9)
      .default(0)
      .describe('Audits of the candidate since the start that the next stage needs.'),
    hold_minutes: z.number().min(0).max(100_000).default(10).describe('Minutes that a stage lasts at least.'),
    rules,
    unit,
    confidence,
  })
  .superRefine(({ stages, candidate, profile: own, rules: wanted, min_audits: audits }, context) => {
    const fault = (message: string, path: string) =>
      context.addIssue({ code: 'custom', message, path: [path] });
    if (stages.some((one, i) => i > 0 && one <= stages[i - 1]!) || stages.at(-1) !== 1)
      fault('must rise, and end with 1', 'stages');
    else if (stages.length === 1)
      fault('need one below 1: at 1 nothing is left that the rules could compare with', 'stages');
    if (candidate === own) fault(`is ${own}, whose place it is to take: name another profile`, 'candidate');
    if (audits > 0 && wanted.max_audit_loss === undefined)
      fault('needs rules.max_audit_loss: without it audits decide nothing', 'min_audits');
  });

const shadow = z.strictObject({
  kind: z.literal('shadow'),
  profile,
  to: z
    .union([
      z.strictObject({ models: z.array(z.string().min(1)).min(1).max(8) }),
      z.strictObject({ profile: z.string().min(1) }),
    ])
    .describe('Who is asked as well: models, as <provider>/<model>, or what another profile decides.'),
  share: share.default(1).describe('Share of the requests that is mirrored.'),
  spend: windowSchema
    .refine(({ unit: counted }) => counted === 'usd', 'must be an amount in usd, such as 24h: 5 usd')
    .describe('How much all its calls may come to, such as 24h: 5 usd. It is never passed.'),
  max_concurrent: z
    .int()
    .min(1)
    .max(1_000)
    .default(8)
    .describe('Mirrored requests at work at once; further ones are dropped and counted.'),
});

const experiment = z.discriminatedUnion('kind', [split, canary, shadow], {
  error: 'must have a kind: split, canary or shadow',
});

type Written = z.infer<typeof experiment>;

/** `experiments` of plimsoll.config.yaml. They run once they are started. */
export const experimentsSchema = z
  .record(experimentName, experiment)
  .refine((all) => Object.keys(all).length <= 100, 'must be at most 100 experiments')
  .transform((all) => Object.entries(all).map(([name, written]) => experimentOf(name, written)))
  .prefault({})
  .describe('Experiments on live traffic. Each runs from `plimsoll experiment start` until it is stopped.');

function experimentOf(name: string, written: Written): Experiment {
  if (written.kind === 'split') {
    const { arms, ...rest } = written;
    return {
      name,
      ...rest,
      arms: Object.entries(arms).map(([arm, one]) => ({ name: arm, ...one })),
    } satisfies Split;
  }
  if (written.kind === 'canary') {
    const { kind, profile: own, candidate, stages, unit: by, confidence: level, rules: wanted } = written;
    return {
      name,
      kind,
      profile: own,
      candidate,
      stages,
      unit: by,
      confidence: level,
      minRequests: written.min_requests,
      minAudits: written.min_audits,
      holdMs: written.hold_minutes * 60_000,
      rules: {
        maxErrorIncrease: wanted.max_error_increase,
        maxLatencyIncrease: wanted.max_latency_increase,
        maxCostIncrease: wanted.max_cost_increase,
        maxScoreDecrease: wanted.max_score_decrease,
        maxAuditLoss: wanted.max_audit_loss,
      },
    } satisfies Canary;
  }
  const { max_concurrent: maxConcurrent, ...rest } = written;
  return { name, ...rest, maxConcurrent } satisfies Shadow;
}

/** A field of `experiments`, and what is wrong with it. */
interface ExperimentFault {
  readonly path: readonly string[];
  readonly message: string;
}

/** What else of the configuration experiments need. */
export interface ExperimentSurroundings {
  readonly profiles: readonly string[];
  readonly providers: readonly string[];
  readonly decisionLogTo: 'file' | 'state' | undefined;
  readonly stateKind: 'memory' | 'sqlite' | 'postgres' | undefined;
}

/** What is wrong with experiments in their configuration; empty if nothing is. */
export function experimentFaults(
  experiments: readonly Experiment[],
  { profiles, providers, decisionLogTo, stateKind }: ExperimentSurroundings,
): ExperimentFault[] {
  const known = new Set([NO_PROFILE, ...profiles]);
  const faults: ExperimentFault[] = [];
  const add = (message: string, ...path: string[]) => faults.push({ message, path });
  if (experiments.length > 0 && stateKind === 'memory')
    add('need a state that other processes can read: set state.kind to sqlite or postgres');
  if (experiments.length > 0 && providers.length === 0)
    add('are of requests that models are called for: add providers, or take the experiments out');
  for (const one of experiments) {
    for (const name of new Set([one.profile, ...profilesOf(one)]))
      if (!known.has(name)) add(noProfile(name, known), one.name);
    if (one.kind === 'canary' && decisionLogTo !== 'state')
      add('is a canary, whose rules read the decision log: set decision_log: { to: state }', one.name);
  }
  return [...faults, ...overlaps(experiments.filter((one) => one.kind !== 'shadow'))];
}

function noProfile(name: string, known: ReadonlySet<string>): string {
  const near = nearestName(name, known);
  return `names the profile "${name}", and there is none${near === undefined ? '' : `. Did you mean "${near}"?`}`;
}

/** A request is in one split or canary at most, also once it went to an arm. */
function overlaps(experiments: readonly (Split | Canary)[]): ExperimentFault[] {
  return experiments.flatMap((one, i) => {
    const same = experiments.slice(0, i).find(({ profile: other }) => other === one.profile);
    if (same !== undefined) {
      const message = `is on the profile ${one.profile}, as ${same.name} is: a profile has one split or canary at most`;
      return [{ path: [one.name, 'profile'], message }];
    }
    const chained = experiments.find(
      (other) => other !== one && other.profile !== one.profile && profilesOf(one).includes(other.profile),
    );
    if (chained === undefined) return [];
    const message = `sends requests to the profile ${chained.profile}, which ${chained.name} is on: a request is in one experiment at most`;
    return [{ path: [one.name], message }];
  });
}
