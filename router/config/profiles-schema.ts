import { z } from 'zod';
import type { Limit } from '../access/index.ts';
import { quoted } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import type { ReplyMode } from '../people/index.ts';
import type { RuleOptions } from '../rules/index.ts';
import { camelCased } from './camel-cased.ts';
import { cascadeOverrides } from './cascade-schema.ts';
import { type DeclaredLadder, ladderSchema, modelsOf, specialistsOf } from './ladder-schema.ts';
import { latencyOverrides, type latencySchema } from './latency-schema.ts';
import { profileLimitsSchema } from './limits-schema.ts';
import { replyModeSchema } from './people-schema.ts';
import {
  faultOfCache,
  type ResponseCacheSettings,
  responseCacheOverrides,
  withCacheOverrides,
} from './response-cache-schema.ts';
import { profileRulesSchema, repeatedName } from './rules-schema.ts';
import { deadlineMs } from './upstream-schema.ts';

export const profileName = z
  .string()
  .max(200)
  .regex(/^[\w.-]+$/, 'letters, digits, dot, dash and underscore');

const profileFields = z
  .strictObject({
    extends: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The profile whose values this one takes where it has none. Default: the configuration itself.',
      ),
    ladder: ladderSchema
      .default({})
      .describe("Candidate of the artifact -> model; the others as in the configuration's own ladder."),
    artifact: z
      .string()
      .min(1)
      .optional()
      .describe('Folder of the artifact that decides, or a store. Each is loaded once, whoever names it.'),
    policy: z.string().min(1).optional().describe('Policy of requests that name none.'),
    margin: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe('Largest quality loss that the verdict of its artifact may allow.'),
    deadline_ms: deadlineMs.optional().describe('In place of upstream.deadline_ms.'),
    cascade: cascadeOverrides
      .optional()
      .describe('Fields of cascade that are different here; off: no reply is judged.'),
    latency: latencyOverrides.optional().describe('Fields of latency that are different here.'),
    capture: z
      .union([z.literal('off'), z.strictObject({ share: z.number().gt(0).max(1) })], {
        error: 'off, or an object with a share, such as { share: 0.1 }',
      })
      .optional()
      .describe('In place of capture.share; off: none of its requests is captured.'),
    people_reply: replyModeSchema.optional(),
    rules: profileRulesSchema
      .optional()
      .describe(
        'Rules of its requests, in place of the inherited ones; { extends: true, list: […] }: before them.',
      ),
    limits: profileLimitsSchema
      .optional()
      .describe('How much its requests may use, besides what limits of the configuration say of them.'),
    response_cache: responseCacheOverrides
      .optional()
      .describe(
        'Fields of response_cache that are different here, with replies of its own; off: none are kept.',
      ),
  })
  .transform(camelCased);

/** A profile as it is written. */
export type DeclaredProfile = z.infer<typeof profileFields>;
type Declared = Readonly<Record<string, DeclaredProfile>>;

/** `profiles` of plimsoll.config.yaml: use cases of their own. They are resolved once the whole file is read: see `resolvedProfiles`. */
export const profilesSchema = z
  .record(profileName, profileFields)
  .superRefine((declared, context) => {
    for (const name of Object.keys(declared)) {
      const message = faultOfLineage(name, declared);
      if (message !== undefined) context.addIssue({ code: 'custom', path: [name, 'extends'], message });
    }
  })
  .default({})
  .describe(
    'Use cases with their own ladder, artifact, policy and limits, by the name in model: auto:<name>.',
  );

function faultOfLineage(name: string, declared: Declared): string | undefined {
  const chain = [name];
  for (;;) {
    const last = chain.at(-1)!;
    const next = declared[last]!.extends;
    if (next === undefined) return undefined;
    const chained = [...chain, quoted(next)].join(' extends ');
    if (chain.includes(next)) return `profiles that extend each other in a circle: ${chained}`;
    if (!Object.hasOwn(declared, next)) return `${chained}, and ${noProfile(next, Object.keys(declared))}`;
    chain.push(next);
  }
}

function noProfile(wanted: string, names: readonly string[]): string {
  const near = nearestName(wanted, names);
  return `there is no profile "${quoted(wanted)}"${near === undefined ? '' : `. Did you mean "${near}"?`}`;
}

type Latency = z.infer<typeof latencySchema>;

/** The parts of the configuration that profiles inherit. */
interface Base<Cascade> {
  readonly profiles: Declared;
  readonly ladder: DeclaredLadder;
  readonly cascade: Cascade;
  readonly latency: Latency;
  readonly upstream: { readonly deadlineMs: number };
  readonly rules: readonly RuleOptions[];
  readonly responseCache?: ResponseCacheSettings | undefined;
}

/** A profile with everything that it inherits: from the profiles that it extends, and from the configuration. */
export interface Profile<Cascade = object> {
  /** Itself, then what it extends, one after the other. */
  readonly lineage: readonly string[];
  /** Candidate -> model. */
  readonly ladder: Readonly<Record<string, string>>;
  /** Candidate -> its tasks. */
  readonly specialists: Readonly<Record<string, readonly string[]>>;
  /** Undefined: the configuration's. */
  readonly artifact: string | undefined;
  /** Undefined: the configuration's. */
  readonly policy: string | undefined;
  readonly margin: number | undefined;
  readonly deadlineMs: number;
  readonly cascade: 'off' | Cascade;
  readonly latency: Latency;
  /** Share of its requests that is captured, 0 for none. Undefined: that of the configuration. */
  readonly captureShare: number | undefined;
  /** How replies of people get to its clients; undefined: as each of them says. */
  readonly peopleReply: ReplyMode | undefined;
  /** The limits of its requests; the same list as in the configuration, or the profile that it extends, unless it has its own. */
  readonly rules: readonly RuleOptions[];
  /** For its requests only, in addition to those of the configuration. */
  readonly limits: readonly Limit[];
  /** The very settings of the configuration, unless some are different; undefined: no reply is kept. */
  readonly responseCache: ResponseCacheSettings | undefined;
  /** Field, such as `ladder.cheap` -> the profile that it comes from. What is left out comes from the configuration. */
  readonly origins: Readonly<Record<string, string>>;
}

/** Resolves every profile once. @param base whose profiles have no circle */
export function resolvedProfiles<Cascade extends object>(
  base: Base<Cascade>,
): Readonly<Record<string, Profile<Cascade>>> {
  const entries = Object.keys(base.profiles).map((name) => [name, resolved(name, base)] as const);
  return Object.fromEntries(entries);
}

function resolved<Cascade extends object>(name: string, base: Base<Cascade>): Profile<Cascade> {
  const lineage = lineageOf(name, base.profiles);
  const origins: Record<string, string> = {};
  let ladder = modelsOf(base.ladder);
  let specialists = specialistsOf(base.ladder);
  let cascade = base.cascade as 'off' | Cascade;
  let { latency, rules, responseCache } = base;
  const values: Partial<DeclaredProfile> = {};
  for (const ancestor of [...lineage].reverse()) {
    const {
      extends: _,
      ladder: declared,
      cascade: changes,
      latency: otherLatency,
      rules: ownRules,
      responseCache: otherCache,
      ...rest
    } = base.profiles[ancestor]!;
    const models = modelsOf(declared);
    ladder = { ...ladder, ...models };
    specialists = { ...specialists, ...specialistsOf(declared) };
    for (const candidate of Object.keys(declared)) origins[`ladder.${candidate}`] = ancestor;
    for (const [field, value] of Object.entries(rest)) {
      if (value === undefined) continue;
      Object.assign(values, { [field]: value });
      origins[field] = ancestor;
    }
    if (otherLatency !== undefined) {
      latency = { ...latency, ...(otherLatency as Partial<Latency>) };
      origins['latency'] = ancestor;
    }
    if (ownRules !== undefined) {
      rules = 'list' in ownRules ? [...ownRules.list, ...rules] : ownRules;
      origins['rules'] = ancestor;
    }
    if (otherCache !== undefined) {
      responseCache = withCacheOverrides(responseCache, otherCache);
      origins['responseCache'] = ancestor;
    }
    if (changes === undefined) continue;
    cascade = changes === 'off' ? 'off' : { ...(cascade === 'off' ? base.cascade : cascade), ...changes };
    origins['cascade'] = ancestor;
  }
  const {
    artifact,
    policy,
    margin,
    deadlineMs = base.upstream.deadlineMs,
    capture,
    peopleReply,
    limits = [],
  } = values;
  const captureShare = capture === 'off' ? 0 : capture?.share;
  return {
    lineage,
    ladder,
    specialists,
    artifact,
    policy,
    margin,
    deadlineMs,
    cascade,
    latency,
    captureShare,
    peopleReply,
    rules,
    limits,
    responseCache,
    origins,
  };
}

/** What is wrong with a profile only with what it inherits: the field, and a sentence; undefined if nothing is. */
export function faultOfProfile({
  rules,
  responseCache,
}: Pick<Profile, 'rules' | 'responseCache'>): readonly [field: string, message: string] | undefined {
  const repeated = repeatedName(rules);
  if (repeated !== -1)
    return ['rules', `there are two rules named "${rules[repeated]!.name}", its own and an inherited one`];
  const cache = faultOfCache(responseCache);
  return cache === undefined ? undefined : ['response_cache', cache];
}

function lineageOf(name: string, declared: Declared): readonly string[] {
  const lineage: string[] = [];
  for (let one: string | undefined = name; one !== undefined; one = declared[one]!.extends) lineage.push(one);
  return lineage;
}
