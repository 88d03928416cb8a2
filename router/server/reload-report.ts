import { safeError } from '../errors.ts';
import type { ReloadReport } from '../hot-reload.ts';
import type { Logger } from '../telemetry/index.ts';
import { announceReload } from './announce.ts';

/** Says in the log what became of reloads. */
export function reloadReport(logger: Logger): ReloadReport {
  return {
    reloaded: (router) => announceReload(logger, router),
    failed: (error) => logger.error(safeError(error), 'not reloaded: what served before serves on'),
    needsRestart: (fields) =>
      logger.warn(
        `${fields.join(', ')} changed in the configuration: this needs a restart, the rest is reloaded`,
      ),
  };
}
