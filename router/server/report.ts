import type { Logger } from '../telemetry/logger.ts';
import { safeError } from '../telemetry/safe-error.ts';
import type { DecisionJson } from './decision-json.ts';

/** What the server tells its log while it serves. No prompt, nothing a request at levels above debug unless it failed. */
export interface Report {
  decided(decision: DecisionJson): void;
  failed(error: unknown): void;
}

const FAILURE_NOTICE_INTERVAL_MS = 10_000;

export function createReport(logger: Logger, nowMs: () => number = Date.now): Report {
  const debug = logger.isLevelEnabled('debug');
  let lastNoticeMs = Number.NEGATIVE_INFINITY;

  /** A classifier that fails, fails for every request: one line in ten seconds says it as well. */
  function noticeFailure(): void {
    if (nowMs() - lastNoticeMs < FAILURE_NOTICE_INTERVAL_MS) return;
    lastNoticeMs = nowMs();
    logger.warn('the classifier fails: requests go to the strongest candidate; /readyz has the count');
  }

  return {
    decided({ id, candidate, reason, predicted_loss, threshold, policy, latency_ms }) {
      if (reason === 'classifier-failed') noticeFailure();
      if (!debug) return;
      logger.debug(
        { id, candidate, reason, predicted_loss, threshold, policy: policy.name, latency_ms },
        'decided',
      );
    },
    failed: (error) => logger.error(safeError(error), 'a request failed'),
  };
}
