import type { Logger } from '../telemetry/index.ts';
import type { RunningServer } from './start-server.ts';

/** Waits for SIGTERM or SIGINT, then drains; a second signal ends the process at once. Resolves to the exit code. */
export function drainOnSignal(server: RunningServer, logger: Logger): Promise<number> {
  return new Promise((resolve, reject) => {
    let draining = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (draining) process.exit(1);
      draining = true;
      logger.info(`${signal}: finishing the requests at work; a second signal ends at once`);
      server.close().then((whole) => {
        if (!whole) logger.warn('drain_timeout_ms passed: requests at work were cut off');
        resolve(whole ? 0 : 1);
      }, reject);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
