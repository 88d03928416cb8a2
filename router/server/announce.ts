import type { Config } from '../config.ts';
import type { Router } from '../router.ts';
import type { Logger } from '../telemetry/logger.ts';

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|::1)$/;

/** The lines at start-up: what serves, and everything that its owner should know is not in order. */
export function announce(logger: Logger, router: Router, config: Config, url: string): void {
  const { artifact, defaultPolicy, ladder } = router;
  logger.info(
    {
      artifact: artifact.name,
      sha256: artifact.sha256.slice(0, 12),
      policy: defaultPolicy.name,
      threshold: defaultPolicy.threshold,
      ladder: ladder.map((rung) => `${rung.candidate}=${rung.model}`).join(' < '),
    },
    `Plimsoll listens on ${url}`,
  );
  if (router.stale) logger.warn(staleness(router));
  logger.warn(
    'no verdict: the gate has not run on this artifact, so nothing is promised of its quality loss',
  );
  if (!LOOPBACK.test(config.server.host)) {
    logger.warn(
      `listening on ${config.server.host}: the endpoint has no authentication, whoever reaches it can use it`,
    );
  }
}

function staleness({ ladder }: Router): string {
  const learned = ladder.map((rung) => rung.learnedFrom).join(', ');
  const served = ladder.map((rung) => rung.model).join(', ');
  return `learned on ${learned}; serves ${served}: stale, its probabilities are a guess`;
}

/** For a person at a terminal: a request to try. */
export function exampleRequest(url: string): string {
  return `Try:\n  curl ${url}/v1/route -H 'content-type: application/json' -d '{"prompt":"What is the capital of France?"}'\n`;
}
