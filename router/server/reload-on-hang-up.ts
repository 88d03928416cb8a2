import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Logger } from '../telemetry/index.ts';

/**
 * SIGHUP reloads, from now until the process ends: without a listener it would end the process, also while it drains. Where
 * it comes because the terminal was closed, it does what it does to other programs of that terminal.
 */
export function reloadOnHangUp(reload: () => Promise<unknown>, logger: Logger): void {
  const onTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  const onHangUp = () => {
    if (onTerminal && !hasTerminal()) {
      process.off('SIGHUP', onHangUp);
      process.kill(process.pid, 'SIGHUP'); // without a listener: the end
      return;
    }
    logger.info('SIGHUP: reading the configuration and the artifact again');
    void reload();
  };
  process.on('SIGHUP', onHangUp);
}

/** A process whose terminal is gone can no longer open it. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
