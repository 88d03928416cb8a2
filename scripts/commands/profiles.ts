import { Command } from 'commander';
import { scopeOf } from '../../router/access/index.ts';
import type { Standing } from '../../router/artifact/index.ts';
import { type ArtifactView, type ViewedArtifact, viewedArtifacts } from '../../router/artifact-views.ts';
import { NANO } from '../../router/catalog/index.ts';
import { type Config, loadConfig } from '../../router/config/index.ts';
import { policyVerdicts } from '../../router/policy/index.ts';
import { print, printJson } from '../terminal.ts';

interface Flags {
  readonly config?: string;
  readonly json: boolean;
}

export function profilesCommand(): Command {
  return new Command('profiles')
    .option('--config <file>', 'configuration (default: plimsoll.config.yaml where it exists)')
    .option('--json', 'print the profiles as JSON', false)
    .action(run);
}

async function run({ config: file, json }: Flags): Promise<void> {
  const config = loadConfig(file);
  // Nothing is served here: what would stop a start is shown as the verdict that it has.
  const artifacts = viewedArtifacts({ ...config, allowUngated: true }, Date.now());
  const profiles = Object.keys(config.profiles).map((name) => resolvedProfile(name, config, artifacts));
  if (json) return printJson({ profiles: await toJson(profiles) });
  print(profiles.length === 0 ? 'The configuration has no profiles.\n' : profiles.map(lines).join('\n'));
}

/** A value, and the field of the configuration that it comes from. */
interface Sourced<T> {
  readonly value: T;
  readonly from: string;
}

type Profile = Config['profiles'][string];

interface ResolvedProfile {
  readonly name: string;
  readonly extends: readonly string[];
  readonly artifact: Sourced<{ readonly folder: string; readonly name: string; readonly sha256: string }>;
  readonly standing: Standing;
  readonly policy: Sourced<string>;
  readonly margin: Sourced<number> | undefined;
  readonly ladder: readonly (Sourced<string> & {
    readonly candidate: string;
    /** The tasks of a specialist. */
    readonly for?: readonly string[];
  })[];
  readonly deadlineMs: Sourced<number>;
  readonly cascade: Sourced<Profile['cascade']>;
  readonly latency: Sourced<Profile['latency']>;
  /** Share of its requests, 0 for none; undefined: nothing is captured. */
  readonly captureShare: Sourced<number> | undefined;
  /** Names, in their order. */
  readonly rules: Sourced<readonly string[]>;
  /** Limits of its requests only, in words. */
  readonly limits: Sourced<readonly string[]>;
  readonly responseCache: Sourced<Profile['responseCache']>;
}

function resolvedProfile(
  name: string,
  config: Config,
  artifacts: readonly ViewedArtifact[],
): ResolvedProfile {
  const profile = config.profiles[name]!;
  const { lineage, origins, deadlineMs, cascade, latency } = profile;
  const { artifact, view } = viewOf(name, artifacts);
  const { folder, manifest, sha256 } = artifact;
  const from = (field: string, written: string, otherwise: string) => {
    const origin = origins[field];
    return origin === undefined ? otherwise : `profiles.${origin}.${written}`;
  };
  const share = profile.captureShare ?? config.capture?.share;
  const { margin } = view;
  return {
    name,
    extends: lineage.slice(1),
    artifact: {
      value: { folder, name: manifest.name, sha256 },
      from: from('artifact', 'artifact', config.artifact === undefined ? 'default' : 'artifact'),
    },
    standing: policyVerdicts(view.standing, artifact, Date.now).standing(view.ladder.stale),
    policy: { value: view.defaultPolicy, from: from('policy', 'policy', 'default_policy') },
    margin: margin === undefined ? undefined : { value: margin, from: from('margin', 'margin', '') },
    ladder: view.ladder.rungs.map(({ candidate, model, tasks }) => {
      const field = `ladder.${candidate}`;
      const inherited = Object.hasOwn(config.ladder, candidate) && config.ladder[candidate] === model;
      return {
        candidate,
        value: model,
        ...(tasks !== undefined && { for: tasks }),
        from: from(field, field, inherited ? field : 'as learned'),
      };
    }),
    deadlineMs: { value: deadlineMs, from: from('deadlineMs', 'deadline_ms', 'upstream.deadline_ms') },
    cascade: { value: cascade, from: from('cascade', 'cascade', 'cascade') },
    latency: { value: latency, from: from('latency', 'latency', 'latency') },
    captureShare:
      share === undefined ? undefined : { value: share, from: from('capture', 'capture', 'capture') },
    rules: { value: profile.rules.map((rule) => rule.name), from: from('rules', 'rules', 'rules') },
    limits: { value: profile.limits.map(limitText), from: from('limits', 'limits', 'none of its own') },
    responseCache: {
      value: profile.responseCache,
      from: from('responseCache', 'response_cache', 'response_cache'),
    },
  };
}

function viewOf(
  name: string,
  artifacts: readonly ViewedArtifact[],
): Pick<ViewedArtifact, 'artifact'> & { readonly view: ArtifactView } {
  const found = artifacts.flatMap(({ artifact, views }) =>
    views.flatMap((view) => (view.profile === name ? [{ artifact, view }] : [])),
  );
  return found[0]!;
}

async function toJson(profiles: readonly ResolvedProfile[]): Promise<object[]> {
  const { standingJson } = await import('../../router/server/index.ts'); // loads Express
  return profiles.map(({ standing, deadlineMs, captureShare, cascade, latency, responseCache, ...rest }) => ({
    ...rest,
    deadline_ms: deadlineMs,
    cascade: { value: cascadeText(cascade.value), from: cascade.from },
    latency: { value: latencyText(latency.value), from: latency.from },
    capture_share: captureShare,
    response_cache: { value: cacheText(responseCache.value), from: responseCache.from },
    verdict: standingJson(standing),
  }));
}

const SHA256_SHOWN = 12;

function lines(profile: ResolvedProfile): string {
  const { name, extends: ancestors, artifact, standing, policy, margin, ladder, deadlineMs } = profile;
  const { cascade, latency, captureShare, rules, limits, responseCache } = profile;
  const { folder, sha256 } = artifact.value;
  const rows: (readonly [label: string, value: string, from: string])[] = [
    ['artifact', `${folder} (${artifact.value.name} ${sha256.slice(0, SHA256_SHOWN)})`, artifact.from],
    ['verdict', verdictText(standing), 'of the artifact'],
    ['policy', policy.value, policy.from],
    ...(margin === undefined ? [] : [['margin', String(margin.value), margin.from] as const]),
    ...ladder.map(
      ({ candidate, value, for: tasks, from }) =>
        [candidate, tasks === undefined ? value : `${value}, for ${tasks.join(', ')}`, from] as const,
    ),
    ['deadline', `${deadlineMs.value} ms`, deadlineMs.from],
    ['cascade', cascadeText(cascade.value), cascade.from],
    ['latency', latencyText(latency.value), latency.from],
    ...(captureShare === undefined
      ? []
      : [
          [
            'capture',
            captureShare.value === 0 ? 'off' : String(captureShare.value),
            captureShare.from,
          ] as const,
        ]),
    ['rules', rules.value.join(', ') || 'none', rules.from],
    ['limits', limits.value.join('; ') || 'none', limits.from],
    ['cache', cacheText(responseCache.value), responseCache.from],
  ];
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  const [labels, values] = [width(0), width(1)];
  const body = rows.map(
    ([label, value, from]) => `  ${label.padEnd(labels)}  ${value.padEnd(values)}  ${from}\n`,
  );
  const heading = ancestors.length === 0 ? name : `${name} extends ${ancestors.join(' extends ')}`;
  const why = standing.kind === 'pass' ? '' : `  ${standing.why}\n`;
  return `${heading}\n${body.join('')}${why}`;
}

function verdictText(standing: Standing): string {
  if (standing.kind === 'none') return 'none';
  const { suite, expires } = standing;
  return standing.kind === 'pass' ? `PASS by ${suite} until ${expires.slice(0, 10)}` : standing.kind;
}

function cascadeText(cascade: Profile['cascade']): string {
  return cascade === 'off' ? 'off' : `within ${cascade.maxWaitMs} ms`;
}

function cacheText(cache: Profile['responseCache']): string {
  return cache === undefined ? 'off' : `for ${cache.ttlMs} ms`;
}

/** Such as `24h usd 10 for key=*`. */
function limitText({ for: names, windows }: Profile['limits'][number]): string {
  const caps = windows.map(({ name, unit, cap }) => `${name} ${unit === 'usd' ? cap / NANO : cap}`);
  const scope = scopeOf(names);
  return scope === 'all' ? caps.join(', ') : `${caps.join(', ')} for ${scope}`;
}

/** The class, with the fields that it heeds. */
function latencyText({ class: wanted, maxExpectedMs, whenSlow, maxWaitMs }: Profile['latency']): string {
  if (wanted === 'interactive') return `interactive, max_expected_ms ${maxExpectedMs}, when_slow ${whenSlow}`;
  return wanted === 'batch' ? `batch, max_wait_ms ${maxWaitMs}` : wanted;
}
