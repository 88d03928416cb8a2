import { defineConfig } from 'vitest/config';

/** Soaks, browsers, killed processes and searches over many thousand inputs: `PLIMSOLL_TESTS=all npm test` and `.ci/run` run them too. */
const LONG = 'test/**/*.long.test.ts';
const all = process.env['PLIMSOLL_TESTS'] === 'all';
if (!all) process.stderr.write(`Without ${LONG}, which take as long again. PLIMSOLL_TESTS=all runs them.\n`);

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: all ? [] : [LONG],
    globalSetup: 'test/helpers/build-once.mjs',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 3, // most tests wait for sockets and child processes
  },
});
