import { z } from 'zod';
import { countsMoney, type Limit } from '../access/index.ts';
import { HUMAN } from '../catalog/index.ts';
import { quoted } from '../errors.ts';
import { batchesSchema } from './batches-schema.ts';
import { camelCased } from './camel-cased.ts';
import { captureSchema } from './capture-schema.ts';
import { cascadeSchema } from './cascade-schema.ts';
import { experimentFaults, experimentsSchema } from './experiments-schema.ts';
import { feedbackSchema } from './feedback-schema.ts';
import { ladderSchema, modelsOf, specialistsOf } from './ladder-schema.ts';
import { latencySchema } from './latency-schema.ts';
import { budgetsSchema, limitsOfProfiles, limitsSchema, repeatedLimit } from './limits-schema.ts';
import { modelsSchema } from './models-schema.ts';
import { oidcSchema } from './oidc-schema.ts';
import { peopleSchema } from './people-schema.ts';
import { faultOfProfile, type Profile, profilesSchema, resolvedProfiles } from './profiles-schema.ts';
import { providersSchema } from './provider-schema.ts';
import { responseCacheSchema } from './response-cache-schema.ts';
import { reviewSchema } from './review-schema.ts';
import { rulesSchema } from './rules-schema.ts';
import {
  accessSchema,
  aliasesSchema,
  decisionLogSchema,
  floorsSchema,
  gatewaySchema,
  serverSchema,
} from './server-schema.ts';
import { sessionsSchema } from './sessions-schema.ts';
import { defaultState, redisSchema, stateSchema } from './state-schema.ts';
import { tasksSchema } from './tasks-schema.ts';
import { upstreamSchema } from './upstream-schema.ts';
import { watchSchema } from './watch-schema.ts';

const policy = z.strictObject({
  threshold: z
    .number()
    .min(-1)
    .max(1)
    .describe('The largest predicted loss that still goes to a cheaper candidate.'),
  version: z
    .int()
    .positive()
    .default(1)
    .describe('Raise it with every change, so that decisions can be distinguished.'),
});

/** As `model: "router-<policy>-<threshold>"` can name it: after a dash something that is no number. */
const POLICY_NAME = /^[\w.]+(?:-(?=[\d.]*[A-Za-z_])[\w.]+)*$/;
const POLICY_NAME_RULE =
  'the name of a policy has letters, digits, dot and underscore, and dashes that no number follows';

export const logLevelSchema = z.enum(['silent', 'error', 'warn', 'info', 'debug']);

/** `plimsoll.config.yaml`. Every field has a default; an unknown field is an error. It never holds secrets. */
export const configSchema = z
  .strictObject({
    artifact: z
      .string()
      .min(1)
      .optional()
      .describe('Folder of the artifact that decides; by default the starter.'),
    ladder: ladderSchema
      .default({})
      .describe(
        'Candidate of the artifact -> the model that you serve in its place, e.g. cheap: gpt-4o-mini; with for: the tasks of a specialist.',
      ),
    providers: providersSchema
      .prefault({})
      .describe('Who serves models: your name of it -> how to reach it. Keys stay in environment variables.'),
    models: modelsSchema
      .prefault({})
      .describe(
        '<provider>/<model> -> what is known of it, overrides and extends the price table that ships.',
      ),
    people: peopleSchema,
    profiles: profilesSchema,
    rules: rulesSchema,
    aliases: aliasesSchema,
    upstream: upstreamSchema.prefault({}),
    gateway: gatewaySchema.prefault({}),
    cascade: cascadeSchema.prefault({}),
    latency: latencySchema.prefault({}),
    access: accessSchema.prefault({}),
    limits: limitsSchema,
    budgets: budgetsSchema.prefault({}),
    decision_log: decisionLogSchema.optional(),
    capture: captureSchema.optional(),
    feedback: feedbackSchema.optional(),
    batches: batchesSchema.optional(),
    threads: z
      .enum(['on', 'off'])
      .default('off')
      .describe(
        'on: responses are kept in the state for 30 days, so that a request can go on from one by its id.',
      ),
    tasks: tasksSchema,
    dashboard: z
      .enum(['on', 'off'])
      .default('on')
      .describe('on: the page for people is served under /dashboard, and at / to browsers.'),
    oidc: oidcSchema.optional(),
    review: reviewSchema.optional(),
    state: stateSchema.optional(),
    redis: redisSchema.optional(),
    sessions: sessionsSchema.prefault({}),
    response_cache: responseCacheSchema.optional(),
    watch: watchSchema.optional(),
    experiments: experimentsSchema,
    instances: z
      .int()
      .min(1)
      .max(1_000)
      .default(1)
      .describe('How many servers stand behind one address. More than one should share state and redis.'),
    default_policy: z.string().min(1).default('default').describe('Policy of requests that name none.'),
    score_always: z
      .boolean()
      .default(false)
      .describe(
        'Score requests although a fixed policy, or a rule that names a rung, decides: decision records have scores then, and plimsoll plan says what routing would have done.',
      ),
    policies: z
      .record(z.string().max(200).regex(POLICY_NAME, POLICY_NAME_RULE), policy)
      .default({})
      .describe(
        "Further policies besides the artifact's own. The gate has judged none of them: needs allow_ungated.",
      ),
    allow_ungated: z
      .boolean()
      .default(false)
      .describe('Serve artifacts and policies without a valid PASS of the gate, always-cheap too.'),
    gate: floorsSchema.prefault({}),
    reload_interval_ms: z
      .int()
      .min(0)
      .max(3_600_000)
      .default(2_000)
      .describe('How often to look whether the artifact changed; 0 never looks. SIGHUP reloads at any time.'),
    encoder: z
      .strictObject({
        allow_hub: z
          .boolean()
          .default(false)
          .describe('Allow a transformers encoder to fetch its model from the hub.'),
        workers: z.int().min(1).max(64).optional().describe('Threads of a minilm or transformers encoder.'),
      })
      .transform(camelCased)
      .prefault({}),
    server: serverSchema.prefault({}),
    log_level: logLevelSchema
      .default('info')
      .describe('Decisions are logged at debug, never with their prompt.'),
  })
  .describe('Configuration of Plimsoll')
  .superRefine(({ profiles, capture }, context) => {
    const captured = Object.keys(profiles).find((name) => profiles[name]!.capture !== undefined);
    if (captured === undefined || capture !== undefined || profiles[captured]!.capture === 'off') return;
    const message = 'needs capture of the configuration itself, which says what is redacted';
    context.addIssue({ code: 'custom', path: ['profiles', captured, 'capture'], message });
  })
  .superRefine(({ people, providers, profiles }, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const [person] = Object.keys(people);
    if (Object.hasOwn(providers, HUMAN))
      refuse(['providers', HUMAN], 'is the name of people; call the provider something else');
    if (person !== undefined && Object.keys(providers).length === 0)
      refuse(['people', person], 'needs providers: a server without them answers no requests');
    for (const [name, { peopleReply: reply }] of Object.entries(profiles)) {
      if (reply !== 'fallback') continue;
      const [lacking] = Object.entries(people).find(([, { fallback }]) => fallback === undefined) ?? [];
      if (lacking !== undefined)
        refuse(
          ['profiles', name, 'people_reply'],
          `needs people.${lacking}.fallback, the model that replies`,
        );
    }
  })
  .superRefine(({ batches, profiles, providers, state }, context) => {
    if (batches === undefined) return;
    const refuse = (path: string[], message: string) =>
      context.addIssue({ code: 'custom', path: ['batches', ...path], message });
    if (Object.keys(providers).length === 0)
      refuse([], 'needs providers: a server without them answers no requests');
    if (state?.kind === 'memory')
      refuse([], 'needs state: { kind: sqlite } or postgres, since a batch has to outlive the process');
    if (batches.profile !== undefined && !Object.hasOwn(profiles, batches.profile))
      refuse(['profile'], `there is no profile "${quoted(batches.profile)}" under profiles`);
  })
  .superRefine(({ experiments, profiles, providers, decision_log: log, state }, context) => {
    if (!Array.isArray(experiments)) return; // what is wrong with one of them is said already
    const surroundings = {
      profiles: Object.keys(profiles),
      providers: Object.keys(providers),
      decisionLogTo: log?.to,
      stateKind: state?.kind,
    };
    for (const { path, message } of experimentFaults(experiments, surroundings))
      context.addIssue({ code: 'custom', path: ['experiments', ...path], message });
  })
  .transform((fields, context) => withNeededState(withProfiles(camelCased(fields), context)));

/** Ladders as the code reads them, and profiles with all that they inherit. */
function withProfiles<
  Fields extends Parameters<typeof resolvedProfiles>[0] & { readonly limits: readonly Limit[] },
>(
  fields: Fields,
  context: z.RefinementCtx,
): Omit<Fields, 'profiles' | 'ladder' | 'limits'> & {
  readonly ladder: Readonly<Record<string, string>>;
  /** Candidate -> its tasks. */
  readonly specialists: Readonly<Record<string, readonly string[]>>;
  readonly profiles: Readonly<Record<string, Profile<Fields['cascade']>>>;
  /** Those of profiles too. */
  readonly limits: readonly Limit[];
} {
  const { ladder } = fields;
  const profiles = resolvedProfiles<Fields['cascade']>(fields);
  for (const [name, profile] of Object.entries(profiles)) {
    const [field, message] = faultOfProfile(profile) ?? [];
    if (field !== undefined)
      context.addIssue({ code: 'custom', message: message!, path: ['profiles', name, field] });
  }
  const limits = [...fields.limits, ...limitsOfProfiles(profiles)];
  const repeated = repeatedLimit(limits);
  if (repeated?.field !== undefined) {
    const message = 'is for the same as a limit of the configuration: put their windows into one';
    context.addIssue({ code: 'custom', message, path: ['profiles', repeated.for.profile!, 'limits'] });
  }
  return { ...fields, ladder: modelsOf(ladder), specialists: specialistsOf(ladder), profiles, limits };
}

/** SQLite in .plimsoll/state.db as soon as something needs a state; a server that only decides needs none. */
function withNeededState<
  Fields extends {
    readonly providers: object;
    readonly state?: z.infer<typeof stateSchema> | undefined;
    readonly decisionLog?: z.infer<typeof decisionLogSchema> | undefined;
    readonly capture?: z.infer<typeof captureSchema> | undefined;
    readonly feedback?: object | undefined;
    readonly access: z.infer<typeof accessSchema>;
    readonly limits: readonly Limit[];
    readonly threads: 'on' | 'off';
    readonly experiments: readonly unknown[];
    readonly batches?: object | undefined;
    readonly people: object;
  },
>(fields: Fields): Fields {
  const { providers, state, decisionLog, capture, feedback, access, limits, threads, experiments } = fields;
  const isNeeded =
    decisionLog?.to === 'state' ||
    capture !== undefined ||
    feedback !== undefined ||
    countsMoney(limits) ||
    access.keysInState ||
    threads === 'on' ||
    experiments.length > 0 ||
    fields.batches !== undefined ||
    Object.keys(fields.people).length > 0;
  if (state !== undefined || !isNeeded || Object.keys(providers).length === 0) return fields;
  return { ...fields, state: defaultState() };
}

export type Config = Readonly<z.infer<typeof configSchema>>;
