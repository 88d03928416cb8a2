import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { PlimsollError } from '../../router/errors.ts';
import { wholeNumberBetween } from '../flags.ts';
import { printJson } from '../terminal.ts';
import { type LabelledSet, readSet } from './guarantee/population.ts';
import { coverageReport, guaranteeViolations, reportText } from './guarantee/report.ts';
import { openResults } from './guarantee/results.ts';
import { measure, measureSimulations, startWorkers } from './guarantee/runner.ts';
import { type PublicSet, SETS, selectSettings } from './guarantee/settings.ts';

interface Flags {
  readonly data?: string;
  readonly resamples: number;
  readonly runs: number;
  readonly simulations?: boolean;
  readonly seed: number;
  readonly only?: string;
  readonly out?: string;
  readonly workers: number;
  readonly json?: boolean;
}

const command = new Command('bench:coverage')
  .description(
    'Does the guarantee hold? Thresholds proved, and policies judged, from many samples of real cases; and what happens to it if people try again.',
  )
  .option('--data <folder>', 'the converted public sets (default: the folder that PLIMSOLL_DATA names)')
  .option('--resamples <n>', 'samples drawn for each setting', wholeNumberBetween(1, 1e6), 1000)
  .option('--runs <n>', 'runs of each simulation', wholeNumberBetween(1, 1e6), 1000)
  .option(
    '--simulations',
    'what people do to the gate, its power and its hints: these alone; with --only, beside those settings',
  )
  .option('--seed <n>', 'of all draws', wholeNumberBetween(0, 2 ** 31 - 1), 1)
  .option('--only <settings>', 'set/n/margin/confidence, * for any, commas between: routellm_mmlu/2000')
  .option('--out <file>', 'JSON Lines: keep each result as it comes, and do not run again what it holds')
  .option('--workers <n>', 'processes at work', wholeNumberBetween(1, 256), availableParallelism())
  .option('--json', 'the result as one JSON document on stdout')
  .parse();

try {
  await coverage(command.opts<Flags>());
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  say(error.message);
  process.exitCode = 2;
}

async function coverage(flags: Flags): Promise<void> {
  const { data, only, out, workers, resamples, runs, seed, json } = flags;
  const alone = flags.simulations === true && only === undefined;
  const settings = alone ? [] : selectSettings(only);
  const withSimulations = flags.simulations === true || only === undefined;
  const results = openResults(out);
  const wanted = SETS.filter(({ name }) => withSimulations || settings.some(({ set }) => set === name));
  const sets = await readSets(wanted, folderOf(data));
  const runner = startWorkers(workers);
  try {
    const repeats = { resamples, seed };
    const found = await measure({ sets, settings, repeats, runner, results, say });
    const simulations = withSimulations
      ? await measureSimulations({ sets, repeats: { resamples: runs, seed }, runner, results, say })
      : [];
    const report = coverageReport(sets, found, simulations, repeats);
    if (json) printJson(report);
    else process.stdout.write(reportText(report));
    const broken = guaranteeViolations(report);
    for (const sentence of broken) say(sentence);
    if (broken.length > 0) process.exitCode = 1;
  } finally {
    runner.close();
  }
}

async function readSets(wanted: readonly PublicSet[], folder: string): Promise<LabelledSet[]> {
  const sets: LabelledSet[] = [];
  for (const set of wanted) sets.push(await readSet(set, folder));
  return sets;
}

function folderOf(asked: string | undefined): string {
  const folder = asked ?? process.env['PLIMSOLL_DATA'];
  if (folder !== undefined) return folder;
  const message = `No data: name the folder with ${SETS.map(({ file }) => file).join(' and ')} by --data or PLIMSOLL_DATA.`;
  throw new PlimsollError('invalid-input', message);
}

function say(line: string): void {
  process.stderr.write(`coverage: ${line}\n`);
}
