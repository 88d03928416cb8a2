import { type ViewedArtifact, viewedArtifacts } from './artifact-views.ts';
import type { Config } from './config/index.ts';
import { openTasks, withPredictedTask } from './configured-tasks.ts';
import { noSuchProfile } from './profile-choice.ts';
import type { RouteOptions, Router } from './router.ts';
import { compileRules, type Rule, type RuleOptions, type Rules, withRule } from './rules/index.ts';
import type { TaskClassifier } from './tasks/index.ts';

/** What a router does with rules. */
export type Ruling = Pick<Router, 'rules' | 'ruled'>;

/** The rules of a configuration or of a profile, and the ladder that they are of. */
export interface ConfiguredRules {
  readonly rules: Rules;
  readonly ladder: Router['ladder'];
}

/**
 * Reads the artifacts, but opens none: nothing serves.
 * @throws PlimsollError if configuration or artifacts are wrong
 */
export async function readRules(config: Config, nowMs: number, profile?: string): Promise<ConfiguredRules> {
  const artifacts = viewedArtifacts(config, nowMs);
  const compiled = await compiledRules(config, artifacts);
  const view = artifacts.flatMap(({ views }) => views).find((one) => one.profile === profile);
  if (view === undefined) throw noSuchProfile(profile!, Object.keys(config.profiles));
  const { all, find } = compiled.of(profile);
  const tasks = await openTasks(config);
  return {
    rules: { all, find: (traits, atMs) => find(withPredictedTask(traits, tasks), atMs) },
    ladder: view.ladder.rungs,
  };
}

/** Opens the rules of the configuration, and of the profiles that have their own. */
export async function openRules(
  config: Config,
  artifacts: readonly ViewedArtifact[],
  nowMs: () => number,
  tasks: TaskClassifier | undefined,
): Promise<Ruling> {
  const compiled = await compiledRules(config, artifacts);
  if (compiled.all.length === 0) return { rules: [], ruled: (_, asked = NO_OPTIONS) => asked };
  return {
    rules: compiled.all,
    ruled(traits, asked = NO_OPTIONS) {
      const rule = compiled.of(asked.profile).find(withPredictedTask(traits, tasks), nowMs());
      return rule === undefined ? asked : withRule(asked, rule);
    },
  };
}

/** The rules of a configuration and of its profiles. */
interface CompiledRules {
  /** All of them, each list once. */
  readonly all: readonly Rule[];
  /** Those of the requests of a profile; undefined: of none. If a reload has just removed the profile, those of the configuration. */
  of(profile: string | undefined): Rules;
}

/** @throws PlimsollError `invalid-config` if a rule is wrong, or names a rung that a ladder lacks for which it is */
async function compiledRules(
  { rules, profiles, limits, people }: Config,
  artifacts: readonly ViewedArtifact[],
): Promise<CompiledRules> {
  const views = artifacts.flatMap((artifact) => artifact.views);
  const listOf = (profile: string | undefined) => (profile === undefined ? rules : profiles[profile]!.rules);
  const compiled = new Map<readonly RuleOptions[], Rules>();
  for (const list of new Set(views.map(({ profile }) => listOf(profile)))) {
    const whose = views.filter(({ profile }) => listOf(profile) === list);
    const ladders = whose.map(({ profile, ladder }) => ({
      profile,
      candidates: ladder.rungs.map(({ candidate }) => candidate),
    }));
    const origin = list === rules ? undefined : profiles[whose[0]!.profile!]!.origins['rules'];
    const field = origin === undefined ? 'rules' : `profiles.${origin}.rules`;
    const targets = {
      ladders,
      profiles: Object.keys(profiles),
      limits: limits.flatMap(({ name }) => name ?? []),
      people: Object.keys(people),
    };
    compiled.set(list, await compileRules(list, targets, field));
  }
  return {
    all: [...compiled.values()].flatMap(({ all }) => all),
    of: (profile) =>
      compiled.get(profile !== undefined && Object.hasOwn(profiles, profile) ? listOf(profile) : rules)!,
  };
}

const NO_OPTIONS: RouteOptions = {};
