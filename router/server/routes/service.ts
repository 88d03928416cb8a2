import { Registry } from 'prom-client';
import type { z } from 'zod';
import type { Gateway, GatewayHealth } from '../../gateway/index.ts';
import {
  type healthSchema,
  type indexSchema,
  openApiDocument,
  pathTemplate,
  type readinessSchema,
} from '../../openapi/index.ts';
import { VERSION } from '../../package.ts';
import type { Router } from '../../router.ts';
import type { Route, ServerContext } from '../context.ts';
import { standingJson, watchJson } from '../decision-json.ts';
import { checksHost, isGuarded } from '../guards.ts';
import { BATCH_ROUTES } from './batches.ts';
import { TASK_ROUTES } from './people.ts';
import { THREAD_ROUTES } from './threads.ts';

/** GET /healthz: the process responds. That does not mean that it decides well. */
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

/** GET /readyz: whether the classifier still gives a golden case its probabilities; another case each time. */
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
        const found = gateway?.health() ?? ALL_WELL;
        const health = { ...found, troubles: [...found.troubles, ...(router.watch?.troubles() ?? [])] };
        const body = readiness(router, await status(health), health);
        send.json(request, response, body, SERVING.has(body.status) ? 200 : 503);
      },
    ],
  };
}

function readiness(
  router: Router,
  status: Readiness['status'],
  { troubles, instances }: GatewayHealth,
): Readiness {
  const { decisions, classifierFailures, lastFailure, lastReload } = router.health();
  return {
    status,
    troubles: [...troubles],
    artifact: { name: router.artifact.name, sha256: router.artifact.sha256 },
    ladder: ladderJson(router.ladder),
    stale: router.stale,
    policies: [...router.policies],
    default_policy: router.defaultPolicy.name,
    decisions,
    classifier_failures: classifierFailures,
    last_failure: lastFailure,
    verdict: standingJson(router.standing()),
    profiles: Object.fromEntries(
      [...router.profiles].map(([name, served]) => [
        name,
        {
          artifact: { name: served.artifact.name, sha256: served.artifact.sha256 },
          ladder: ladderJson(served.rungs),
          stale: served.stale,
          policy: served.defaultPolicy.name,
          ...(served.margin !== undefined && { margin: served.margin }),
          verdict: standingJson(served.standing()),
        },
      ]),
    ),
    ...(router.artifacts.length > 1 && { artifacts: router.artifacts.map(loadedJson) }),
    reload: lastReload,
    ...(router.watch && { watch: watchJson(router.watch.status()) }),
    ...(instances !== undefined && {
      instances: instances.map(({ host, version, artifact, config }) => ({
        host,
        version,
        artifact,
        config,
      })),
    }),
  };
}

function loadedJson({ name, sha256, profiles, loadMs, memoryBytes, watch }: Router['artifacts'][number]) {
  return {
    name,
    sha256,
    profiles: [...profiles],
    load_ms: Math.round(loadMs),
    memory_bytes: memoryBytes,
    ...(watch && { watch: watchJson(watch.status()) }),
  };
}

function ladderJson(rungs: Router['ladder']): Readiness['ladder'] {
  return rungs.map(({ candidate, model, learnedFrom, tasks }) => ({
    candidate,
    model,
    learned_from: learnedFrom,
    ...(tasks !== undefined && { for: [...tasks] }),
  }));
}

/**
 * GET /metrics: for Prometheus. Names models and sums of money, so it needs a key if the other routes do. The two parts have no metric
 * in common.
 */
export function metricsRoute({ metrics }: ServerContext, gateway?: Gateway): Route {
  return {
    method: 'get',
    path: '/metrics',
    summary: 'Counts, times and costs for Prometheus.',
    handlers: [
      async (_, response) => {
        const parts = await Promise.all([metrics.exposition(), gateway?.metrics.exposition()]);
        response.writeHead(200, {
          'content-type': Registry.PROMETHEUS_CONTENT_TYPE,
          'cache-control': 'no-store',
        });
        response.end(parts.filter((part) => part !== undefined).join(''));
      },
    ],
  };
}

/** GET /openapi.json: the API for programs, made of the schemas that check its requests. */
export function openApi({ send, config }: ServerContext): Route {
  let document: Uint8Array | undefined; // 100 kB: made once, and only if it is asked for, since that takes a third of the start of a server
  return {
    method: 'get',
    path: '/openapi.json',
    summary: 'This API as OpenAPI 3.1.',
    handlers: [
      (request, response) => {
        document ??= Buffer.from(JSON.stringify(describedApi(config)));
        send.json(request, response, document);
      },
    ],
  };
}

/** GET /: the list of routes. */
export function index({ send }: ServerContext, routes: readonly Route[]): Route {
  const body: z.infer<typeof indexSchema> = {
    name: 'plimsoll',
    version: VERSION,
    routes: routes.flatMap(({ method, path, summary }) =>
      pathTemplates(path, method).map((path) => ({ method: method.toUpperCase(), path, summary })),
    ),
    documentation: '/openapi.json, and docs/API.md in the package',
  };
  return {
    method: 'get',
    path: '/',
    summary: 'This list.',
    handlers: [(request, response) => send.json(request, response, body)],
  };
}

/** Express's path as OpenAPI writes it: `/v1/models{/*id}` is both `/v1/models` and `/v1/models/{id}`; only the latter is called. */
function pathTemplates(path: string, method: Route['method']): readonly string[] {
  const [base, name] = path.split(/\{\/\*|\}$/);
  return base === undefined || name === undefined
    ? [pathTemplate(path)]
    : method === 'post'
      ? [`${base}/{${name}}`]
      : [base, `${base}/{${name}}`];
}

function describedApi(config: ServerContext['config']) {
  const needsKey = isGuarded(config);
  return openApiDocument(config, {
    needsKey,
    checksHost: checksHost(config.server, needsKey),
    routes: { batches: BATCH_ROUTES, people: TASK_ROUTES, threads: THREAD_ROUTES },
  });
}
