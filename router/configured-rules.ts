import { type ViewedArtifact, viewedArtifacts } from './artifact-views.ts';
import type { Config } from './config/index.ts';
import type { RouteOptions, Router } from './router.ts';
import { compileRules, type Rules, withRule } from './rules/index.ts';

/** What a router does with rules. */
export type Ruling = Pick<Router, 'rules' | 'ruled'>;

/** The rules of a configuration, and the default ladder that they are of. */
export interface ConfiguredRules {
  readonly rules: Rules;
  readonly ladder: Router['ladder'];
}

/**
 * Reads the artifacts, but opens none: nothing serves.
 * @throws PlimsollError if configuration or artifacts are wrong
 */
export async function readRules(config: Config, nowMs: number): Promise<ConfiguredRules> {
  const artifacts = viewedArtifacts(config, nowMs);
  return { rules: await compiledRules(config, artifacts), ladder: artifacts[0].views[0].ladder.rungs };
}

/** The same for all profiles. */
export async function openRules(
  config: Config,
  artifacts: readonly ViewedArtifact[],
  nowMs: () => number,
): Promise<Ruling> {
  if (config.rules.length === 0) return { rules: [], ruled: (_, asked = NO_OPTIONS) => asked };
  const rules = await compiledRules(config, artifacts);
  return {
    rules: rules.all,
    ruled(traits, asked = NO_OPTIONS) {
      const rule = rules.find(traits, nowMs());
      return rule === undefined ? asked : withRule(asked, rule);
    },
  };
}

/** @throws PlimsollError `invalid-config` if a rule is wrong, or names a rung that a ladder lacks */
function compiledRules({ rules, profiles }: Config, artifacts: readonly ViewedArtifact[]): Promise<Rules> {
  const ladders = artifacts.flatMap(({ views }) =>
    views.map(({ profile, ladder }) => ({
      profile,
      candidates: ladder.rungs.map(({ candidate }) => candidate),
    })),
  );
  return compileRules(rules, { ladders, profiles: Object.keys(profiles) });
}

const NO_OPTIONS: RouteOptions = {};
