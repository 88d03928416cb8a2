import { isLoopback } from '../access/index.ts';
import type { Standing } from '../artifact/index.ts';
import { isHuman } from '../catalog/index.ts';
import type { Config } from '../config/index.ts';
import { safeError } from '../errors.ts';
import { type ErrorResponse, toErrorResponse } from '../http/index.ts';
import type { Router, ServedProfile } from '../router.ts';
import { rungNamed } from '../rules/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { DecisionJson } from './decision-json.ts';
import { isGuarded } from './guards.ts';

/** Logs at start-up what the server serves, and everything that its operator should know is not in order. */
export function logStart(logger: Logger, router: Router, config: Config, url: string): void {
  logger.info(served(router), `Plimsoll listens on ${url}`);
  logArtifacts(logger, router);
  logWarnings(logger, router);
  if (!isLoopback(config.server.host) && !isGuarded(config)) logger.warn(openToAll(config));
}

/** Logs after a reload what the server serves from now on. */
export function logReload(logger: Logger, router: Router): void {
  logger.info(served(router), 'reloaded: this serves from now on');
  logArtifacts(logger, router);
  logWarnings(logger, router);
}

/** A request to try, for a person at a terminal. @param guarded whether it needs an API key; then it has a placeholder for one. */
export function exampleRequest(url: string, guarded: boolean): string {
  const key = guarded ? " -H 'authorization: Bearer <your key>'" : '';
  return `Try:\n  curl ${url}/v1/route${key} -H 'content-type: application/json' -d '{"prompt":"What is the capital of France?"}'\n`;
}

/** What the client calls a request. */
interface RequestLabels {
  readonly tags: readonly string[];
  readonly task: string | undefined;
}

/** What the server logs while it serves. No prompt; below level debug nothing about a request that did not fail. */
export interface ServerLog {
  decision(decision: DecisionJson, labels: RequestLabels): void;
  failure(error: unknown): void;
}

/** A line in this time says as much as a line for each request. */
const FAILURE_NOTICE_INTERVAL_MS = 10_000;
const EXPIRY_NOTICE_INTERVAL_MS = 3_600_000;

export function createServerLog(logger: Logger): ServerLog {
  const debug = logger.isLevelEnabled('debug');
  const warnOfFailures = atMostEvery(FAILURE_NOTICE_INTERVAL_MS, () =>
    logger.warn('the classifier fails: requests go to the strongest candidate; /readyz has the count'),
  );
  const warnOfExpiry = atMostEvery(EXPIRY_NOTICE_INTERVAL_MS, () =>
    logger.warn('the PASS of the gate has expired: decisions say so; gate the artifact again'),
  );
  return {
    decision(decision, labels) {
      const { reason, verdict } = decision;
      if (reason === 'classifier-failed') warnOfFailures();
      if (verdict === 'expired') warnOfExpiry();
      if (debug) logger.debug({ ...decisionLine(decision), ...labels }, 'decided');
    },
    failure: (error) => logger.error(safeError(error), 'a request failed'),
  };
}

/** The response to an error; what is the server's fault is logged too. @param param the field at fault if the error names none */
export function loggedErrorResponse(
  { log }: { readonly log: ServerLog },
  error: unknown,
  param: string | null,
): ErrorResponse {
  const response = toErrorResponse(error, param);
  if (response.status >= 500) log.failure(error);
  return response;
}

function decisionLine(decision: DecisionJson): object {
  const {
    id,
    candidate,
    reason,
    rule,
    predicted_task,
    predicted_loss,
    threshold,
    policy,
    verdict,
    ungated_reason,
    latency_ms,
  } = decision;
  return {
    id,
    candidate,
    reason,
    rule,
    predicted_task,
    predicted_loss,
    threshold,
    policy: policy.name,
    verdict,
    ungated_reason,
    latency_ms,
  };
}

function atMostEvery(intervalMs: number, notice: () => void): () => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = Date.now();
    if (nowMs - lastMs < intervalMs) return;
    lastMs = nowMs;
    notice();
  };
}

function openToAll({ server, access }: Config): string {
  const unused = access.keysFile === undefined ? '' : '; access.keys_file guards nothing without providers';
  return `listening on ${server.host}: the endpoint has no authentication, whoever reaches it can use it${unused}`;
}

function served(router: Router): object {
  const { artifact, defaultPolicy, ladder } = router;
  return {
    artifact: artifact.name,
    sha256: artifact.sha256.slice(0, 12),
    policy: defaultPolicy.name,
    threshold: defaultPolicy.threshold,
    ladder: ladder.map((rung) => `${rung.candidate}=${rung.model}`).join(' < '),
    verdict: verdictText(router.standing()),
  };
}

/** What each of several artifacts costs in memory and at the start, and for whom it is. */
function logArtifacts(logger: Logger, { artifacts }: Router): void {
  if (artifacts.length < 2) return;
  for (const { name, sha256, profiles, loadMs, memoryBytes } of artifacts) {
    const loaded = {
      artifact: name,
      sha256: sha256.slice(0, 12),
      profiles,
      load_ms: Math.round(loadMs),
      memory_bytes: memoryBytes,
    };
    logger.info(loaded, `loaded the artifact ${name}`);
  }
}

function verdictText(standing: Standing): string {
  if (standing.kind === 'none') return 'none';
  const { kind, suite, expires } = standing;
  if (kind === 'expired') return `PASS by ${suite}, expired ${expires}`;
  if (kind === 'contradicted') return `PASS by ${suite}, contradicted by audits`;
  return kind === 'stale' ? `stale: PASS by ${suite} of other models` : `PASS by ${suite} until ${expires}`;
}

const UNGATED = 'UNGATED, and allow_ungated is on';
/** How long before its end a PASS is warned of. */
const EXPIRY_WARNING_MS = 7 * 86_400_000;

function logWarnings(logger: Logger, router: Router): void {
  const standing = router.standing();
  if (router.stale) logger.warn(staleness(router));
  for (const [name, profile] of router.profiles) logProfileWarnings(logger, name, profile);
  if (standing.kind === 'none' || standing.kind === 'expired') logger.warn(`${UNGATED}: ${standing.why}`);
  else if (router.verdict() === 'none') {
    logger.warn(`${UNGATED}: the default policy ${router.defaultPolicy.name} has not passed the gate.`);
  }
  const lowering = router.rules.filter(({ action }) => mayLower(action, router.ladder));
  if (lowering.length > 0) {
    const names = lowering.map(({ name }) => name).join(', ');
    logger.warn(
      `rules that may choose a cheaper model than the gated policy: ${names}. Such decisions have the verdict none, and the PASS is of the other requests only as far as docs/RULES.md says`,
    );
  }
  if (standing.kind === 'pass' && isNearItsEnd(standing.expires)) {
    logger.warn(`the PASS of the gate expires on ${standing.expires}: gate the artifact again before`);
  }
}

function logProfileWarnings(logger: Logger, name: string, profile: ServedProfile): void {
  const { rungs, stale, defaultPolicy } = profile;
  const standing = profile.standing();
  if (stale) logger.warn(`profile ${name}: ${staleness({ ladder: rungs })}`);
  if (standing.kind === 'none' || standing.kind === 'expired') {
    logger.warn(`profile ${name}: ${UNGATED}: ${standing.why}`);
  } else if (profile.verdict() === 'none') {
    logger.warn(`profile ${name}: ${UNGATED}: its policy ${defaultPolicy.name} has not passed the gate.`);
  }
  if (standing.kind === 'pass' && isNearItsEnd(standing.expires)) {
    logger.warn(
      `profile ${name}: the PASS of the gate expires on ${standing.expires}: gate its artifact again before`,
    );
  }
}

function isNearItsEnd(expires: string): boolean {
  return Date.parse(expires) - Date.now() < EXPIRY_WARNING_MS;
}

/** Whether the gate's policy may have chosen a stronger model than what a rule leaves. A profile has a verdict of its own. */
function mayLower(action: Router['rules'][number]['action'], ladder: Router['ladder']): boolean {
  if (action.kind === 'model') return !isHuman(action.model); // people are above every rung
  if (action.kind !== 'rung' && action.kind !== 'at-most') return false;
  const candidates = ladder.map(({ candidate }) => candidate);
  return rungNamed(action.rung, candidates) !== candidates.length - 1;
}

function staleness({ ladder }: Pick<Router, 'ladder'>): string {
  const learned = ladder.map((rung) => rung.learnedFrom).join(', ');
  const served = ladder.map((rung) => rung.model).join(', ');
  return `learned on ${learned}; serves ${served}: stale, its probabilities are a guess`;
}
