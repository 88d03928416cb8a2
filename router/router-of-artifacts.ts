import { noSuchProfile } from './profile-choice.ts';
import type { RouteOptions, Router } from './router.ts';

/**
 * One router over several artifacts: each request goes to the one of its profile, and those without a profile to the first.
 * @param order names of the profiles, as they are configured
 */
export function routerOfArtifacts(routers: readonly Router[], order: readonly string[]): Router {
  const own = routers[0]!;
  const owners = new Map(
    routers.flatMap((router) => [...router.profiles.keys()].map((name) => [name, router] as const)),
  );
  const profiles = new Map(order.map((name) => [name, owners.get(name)!.profiles.get(name)!] as const));

  function routerFor({ profile }: RouteOptions): Router {
    if (profile === undefined) return own;
    const owner = owners.get(profile);
    if (owner === undefined) throw noSuchProfile(profile, order);
    return owner;
  }

  return {
    artifact: own.artifact,
    ladder: own.ladder,
    stale: own.stale,
    profiles,
    artifacts: routers.flatMap(({ artifacts }) => artifacts),
    policies: own.policies,
    rules: own.rules,
    ruled: own.ruled,
    competingTask: own.competingTask,
    canJudge: own.canJudge,
    judgeUses: own.judgeUses,
    judgeGaps: own.judgeGaps,
    defaultPolicy: own.defaultPolicy,
    standing: own.standing,
    verdict: own.verdict,
    watch: watchOf(routers),
    check: (options) => routerFor(options).check(options),
    route: async (input, options = NO_OPTIONS) => routerFor(options).route(input, options),
    routeForCheck: async (input, replyMayLack, options = NO_OPTIONS) =>
      routerFor(options).routeForCheck(input, replyMayLack, options),
    explain: async (input, options = NO_OPTIONS) => routerFor(options).explain(input, options),
    decideAgain: (scores, options = NO_OPTIONS, judgeable) =>
      routerFor(options).decideAgain(scores, options, judgeable),
    async checkGolden(index) {
      const held = await Promise.all(routers.map((router) => router.checkGolden(index)));
      return held.every(Boolean);
    },
    health() {
      const all = routers.map((router) => router.health());
      const failures = all.flatMap(({ lastFailure }) => lastFailure ?? []);
      return {
        ...own.health(),
        decisions: sumOf(all.map(({ decisions }) => decisions)),
        classifierFailures: sumOf(all.map(({ classifierFailures }) => classifierFailures)),
        lastFailure: failures.sort((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null,
      };
    },
    async close() {
      await Promise.all(routers.map((router) => router.close()));
    },
  };
}

/** What the first one watches, with the alarms of all. An audit goes to each, and counts for the artifact that it is of. */
function watchOf(routers: readonly Router[]): Router['watch'] {
  const watches = routers.flatMap(({ watch }) => watch ?? []);
  const [own] = watches;
  if (own === undefined) return undefined;
  return {
    ...own,
    troubles: () => watches.flatMap((watch) => watch.troubles()),
    observeAudit: (audit) => {
      for (const watch of watches) watch.observeAudit(audit);
    },
  };
}

const NO_OPTIONS: RouteOptions = {};

function sumOf(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
