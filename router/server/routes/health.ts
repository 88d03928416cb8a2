import type { z } from 'zod';
import type { Gateway, GatewayHealth } from '../../gateway/index.ts';
import { VERSION } from '../../package.ts';
import type { Router } from '../../router.ts';
import type { Route, ServerContext } from '../context.ts';
import type { healthSchema, readinessSchema } from '../schemas/response.ts';
import { standingJson } from '../standing-json.ts';

/** GET /healthz: the process answers. Says nothing of whether it decides well. */
export function healthz({ send }: ServerContext): Route {
  return {
    method: 'get',
    path: '/healthz',
    summary: 'Whether the process is alive.',
    handlers: [
      (request, response) => {
        const body: z.infer<typeof healthSchema> = {
          status: 'ok',
          version: VERSION,
          uptime_s: Math.round(process.uptime()),
        };
        send.json(request, response, body);
      },
    ],
  };
}

type Readiness = z.infer<typeof readinessSchema>;

const SERVING: ReadonlySet<Readiness['status']> = new Set(['ready', 'degraded']);
const ALL_WELL: GatewayHealth = { troubles: [], callable: true };

/** GET /readyz: the classifier still gives a golden case its probabilities, another case each time. */
export function readyz({ router, send, lifecycle }: ServerContext, gateway?: Gateway): Route {
  let nextGolden = 0;
  async function status({ troubles, callable }: GatewayHealth): Promise<Readiness['status']> {
    if (lifecycle.draining) return 'draining';
    const golden = await router.checkGolden(nextGolden++).catch(() => false);
    if (!golden) return 'golden-failed';
    if (!callable) return 'no-provider-key';
    return troubles.length > 0 ? 'degraded' : 'ready';
  }
  return {
    method: 'get',
    path: '/readyz',
    summary: 'Whether requests should be sent here, and what serves.',
    handlers: [
      async (request, response) => {
        const health = gateway?.health() ?? ALL_WELL;
        const body = readiness(router, await status(health), health.troubles);
        send.json(request, response, body, SERVING.has(body.status) ? 200 : 503);
      },
    ],
  };
}

function readiness(router: Router, status: Readiness['status'], troubles: readonly string[]): Readiness {
  const { decisions, classifierFailures, lastFailure, lastReload } = router.health();
  return {
    status,
    troubles: [...troubles],
    artifact: { name: router.artifact.name, sha256: router.artifact.sha256 },
    ladder: router.ladder.map(({ candidate, model, learnedFrom }) => ({
      candidate,
      model,
      learned_from: learnedFrom,
    })),
    stale: router.stale,
    policies: [...router.policies],
    default_policy: router.defaultPolicy.name,
    decisions,
    classifier_failures: classifierFailures,
    last_failure: lastFailure,
    verdict: standingJson(router.standing()),
    reload: lastReload,
  };
}
