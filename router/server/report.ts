import { safeError } from '../errors.ts';
import type { Logger } from '../telemetry/index.ts';
import type { DecisionJson } from './decision-json.ts';

/** What the server tells its log while it serves. No prompt, nothing a request at levels above debug unless it failed. */
export interface Report {
  decided(decision: DecisionJson): void;
  failed(error: unknown): void;
}

/** One line in this time says as much as one a request. */
const FAILURE_NOTICE_INTERVAL_MS = 10_000;
const EXPIRY_NOTICE_INTERVAL_MS = 3_600_000;

export function createReport(logger: Logger, nowMs: () => number = Date.now): Report {
  const debug = logger.isLevelEnabled('debug');
  const noticeFailure = atMostEvery(FAILURE_NOTICE_INTERVAL_MS, nowMs, () =>
    logger.warn('the classifier fails: requests go to the strongest candidate; /readyz has the count'),
  );
  const noticeExpiry = atMostEvery(EXPIRY_NOTICE_INTERVAL_MS, nowMs, () =>
    logger.warn('the PASS of the gate has expired: decisions say so; gate the artifact again'),
  );
  return {
    decided(decision) {
      const {
        id,
        candidate,
        reason,
        predicted_loss,
        threshold,
        policy,
        verdict,
        ungated_reason,
        latency_ms,
      } = decision;
      if (reason === 'classifier-failed') noticeFailure();
      if (verdict === 'expired') noticeExpiry();
      if (!debug) return;
      logger.debug(
        {
          id,
          candidate,
          reason,
          predicted_loss,
          threshold,
          policy: policy.name,
          verdict,
          ungated_reason,
          latency_ms,
        },
        'decided',
      );
    },
    failed: (error) => logger.error(safeError(error), 'a request failed'),
  };
}

function atMostEvery(intervalMs: number, nowMs: () => number, notice: () => void): () => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (nowMs() - lastMs < intervalMs) return;
    lastMs = nowMs();
    notice();
  };
}
