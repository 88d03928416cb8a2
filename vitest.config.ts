import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest: soaks, browsers, killed processes, commands that train and judge many times, searches over many thousand inputs: `PLIMSOLL_TESTS=all npm test` and `.ci/run` run them too. */
const LONG = 'test/**/*.long.test.ts';
const all = process.env['PLIMSOLL_TESTS'] === 'all';
if (!all)
  process.stderr.write(
    `At a fifth of the size, and without ${LONG} and the long tests of other files. PLIMSOLL_TESTS=all runs all of it.\n`,
  );

/** Rooms whose files have a process each: their tests change what a whole process shares, such as OpenTelemetry's globals. */
const ISOLATED = 'test/{bench,telemetry}/**/*.test.ts';

const shared = {
  exclude: all ? [] : [LONG],
  testTimeout: 60_000, // a busy machine starts a dozen processes at once
  hookTimeout: 60_000,
  execArgv: ['--max-semi-space-size=64'], // short-lived objects abound: collecting them took a tenth of the processor time
  expect: { poll: { timeout: 40_000 } }, // no test depends on how fast the machine is
};

/** Long files begin first, within their project: the last file to end would otherwise run alone. The rest as usual, the largest first. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => moduleId.endsWith('.long.test.ts');
    const name = ({ project }: TestSpecification) => project.name;
    return (await super.sort(files)).sort((a, b) =>
      name(a) === name(b) ? Number(isLong(b)) - Number(isLong(a)) : 0,
    );
  }
}

export default defineConfig({
  test: {
    globalSetup: ['test/helpers/build-once.mjs', 'test/helpers/run-folder-setup.mjs'],
    sequence: { sequencer: LongFirst },
    maxWorkers: 3, // most tests wait for sockets and child processes
    projects: [
      // Loading the modules anew for each file would take longer than the tests.
      {
        test: {
          ...shared,
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: [...shared.exclude, ISOLATED],
          isolate: false,
        },
      },
      { test: { ...shared, name: 'isolated', include: [ISOLATED] } },
    ],
  },
});
