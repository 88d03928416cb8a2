import { isLoopback, requireAccess } from '../access/index.ts';
import type { Standing } from '../artifact/index.ts';
import type { Config } from '../config/index.ts';
import type { Router } from '../router.ts';
import type { Logger } from '../telemetry/index.ts';

const DAY_MS = 86_400_000;
const UNGATED = 'UNGATED, and allow_ungated is on';
/** From when on a PASS that runs out is warned of. */
const WARNED_BEFORE_MS = 7 * DAY_MS;

/** The lines at start-up: what serves, and everything that its owner should know is not in order. */
export function announce(logger: Logger, router: Router, config: Config, url: string): void {
  logger.info(whatServes(router), `Plimsoll listens on ${url}`);
  warn(logger, router);
  if (!isLoopback(config.server.host) && !isGuarded(config)) logger.warn(openToAll(config));
}

/** Whether requests need an API key. Keys guard the gateway alone: a server that only decides has no authentication. */
export function isGuarded({
  providers,
  access,
  server,
}: Pick<Config, 'providers' | 'access' | 'server'>): boolean {
  return Object.keys(providers).length > 0 && requireAccess(access, server.host);
}

function openToAll({ server, access }: Config): string {
  const unused = access.keysFile === undefined ? '' : '; access.keys_file guards nothing without providers';
  return `listening on ${server.host}: the endpoint has no authentication, whoever reaches it can use it${unused}`;
}

/** The same of what serves from now on. */
export function announceReload(logger: Logger, router: Router): void {
  logger.info(whatServes(router), 'reloaded: this serves from now on');
  warn(logger, router);
}

function whatServes(router: Router): object {
  const { artifact, defaultPolicy, ladder } = router;
  return {
    artifact: artifact.name,
    sha256: artifact.sha256.slice(0, 12),
    policy: defaultPolicy.name,
    threshold: defaultPolicy.threshold,
    ladder: ladder.map((rung) => `${rung.candidate}=${rung.model}`).join(' < '),
    verdict: verdictWords(router.standing()),
  };
}

function verdictWords(standing: Standing): string {
  if (standing.kind === 'none') return 'none';
  const { kind, suite, expires } = standing;
  if (kind === 'expired') return `PASS by ${suite}, expired ${expires}`;
  return kind === 'stale' ? `stale: PASS by ${suite} of other models` : `PASS by ${suite} until ${expires}`;
}

function warn(logger: Logger, router: Router): void {
  const standing = router.standing();
  if (router.stale) logger.warn(staleness(router));
  for (const [name, { rungs, stale }] of router.profiles) {
    if (stale) logger.warn(`profile ${name}: ${staleness({ ladder: rungs })}`);
  }
  if (standing.kind === 'none' || standing.kind === 'expired') logger.warn(`${UNGATED}: ${standing.why}`);
  else if (router.verdict() === 'none') {
    logger.warn(`${UNGATED}: the default policy ${router.defaultPolicy.name} has not passed the gate.`);
  }
  if (standing.kind === 'pass' && Date.parse(standing.expires) - Date.now() < WARNED_BEFORE_MS) {
    logger.warn(`the PASS of the gate expires on ${standing.expires}: gate the artifact again before`);
  }
}

function staleness({ ladder }: Pick<Router, 'ladder'>): string {
  const learned = ladder.map((rung) => rung.learnedFrom).join(', ');
  const served = ladder.map((rung) => rung.model).join(', ');
  return `learned on ${learned}; serves ${served}: stale, its probabilities are a guess`;
}

/** For a person at a terminal: a request to try. @param guarded whether it needs an API key; then there is a place for one. */
export function exampleRequest(url: string, guarded: boolean): string {
  const key = guarded ? " -H 'authorization: Bearer <your key>'" : '';
  return `Try:\n  curl ${url}/v1/route${key} -H 'content-type: application/json' -d '{"prompt":"What is the capital of France?"}'\n`;
}
