import { it } from 'vitest';

/** Whether this is the long run: every test at full size (`PLIMSOLL_TESTS=all`). */
export const LONG_RUN = process.env['PLIMSOLL_TESTS'] === 'all';

/** Which of many inputs of one kind are tried: all in the long run, else each third. For those that start a process each. */
export function sampled<T>(inputs: readonly T[]): readonly T[] {
  return LONG_RUN ? inputs : inputs.filter((_, i) => i % 3 === 0);
}

/** How large a number of runs or of characters is: `full` in the long run, a fifth of it otherwise. */
export function scaled(full: number): number {
  return LONG_RUN ? full : Math.ceil(full / 5);
}

/** A test of the long run alone, in a file whose other tests are quick. */
export const itLong = it.runIf(LONG_RUN);
