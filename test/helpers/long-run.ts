/** Whether this is the long run: every test at full size (`PLIMSOLL_TESTS=all`). */
export const LONG_RUN = process.env['PLIMSOLL_TESTS'] === 'all';

/** How large a number of runs or of characters is: `full` in the long run, a fifth of it otherwise. */
export function scaled(full: number): number {
  return LONG_RUN ? full : Math.ceil(full / 5);
}
