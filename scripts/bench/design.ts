import { Command } from 'commander';
import { PlimsollError } from '../../router/errors.ts';
import { numberBetween, wholeNumberBetween } from '../flags.ts';
import { print, printJson } from '../terminal.ts';
import { type Checked, checkDesigns, type DesignCheck } from './design/check-designs.ts';
import { dataFolder, scoredSet } from './design/scored-set.ts';
import { LLMROUTER, RATIONAL } from './design/sets.ts';

interface Flags {
  readonly data?: string;
  readonly scores?: string;
  readonly resamples: number;
  readonly margin: number;
  readonly rungs: number;
  readonly seed: number;
  readonly json: boolean;
}

const flags = new Command('bench:design')
  .description(
    'What plimsoll design says from shares by task alone, beside the truth on requests that it has not seen.',
  )
  .option('--data <folder>', 'the converted public sets (default: the folder that PLIMSOLL_DATA names)')
  .option('--scores <folder>', 'keep cross-validated scores there, and take them from there next time')
  .option('--resamples <n>', 'halves drawn of each set', wholeNumberBetween(1, 1e4), 100)
  .option('--margin <loss>', 'that the designs are for', numberBetween(0.001, 0.5), 0.03)
  .option('--rungs <n>', 'of the longest ladder: 2 or 3', wholeNumberBetween(2, 3), 2)
  .option('--seed <n>', 'of all draws', wholeNumberBetween(0, 2 ** 31 - 1), 1)
  .option('--json', 'the result as one JSON document', false)
  .parse()
  .opts<Flags>();

try {
  await bench(flags);
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`design: ${error.message}\n`);
  process.exitCode = 2;
}

async function bench({ data, scores, json, ...settings }: Flags): Promise<void> {
  const folder = dataFolder(data);
  const checks: DesignCheck[] = [];
  for (const { set, models } of [RATIONAL, LLMROUTER]) {
    const scored = await scoredSet(folder, set, models, scores);
    checks.push(checkDesigns(scored, settings));
  }
  if (json) printJson({ ...settings, checks });
  else print(`${checks.map(words).join('\n')}`);
}

function words({ set, n, ladders, figures }: DesignCheck): string {
  const lines = Object.entries(figures).map(([name, one]) => `  ${name}: ${checkedWords(one)}`);
  const proposed = Object.entries(ladders).map(([ladder, times]) => `  ${ladder}: ${times}`);
  return `${set}, n ${n}\n${lines.join('\n')}\nproposed:\n${proposed.join('\n')}\n`;
}

function checkedWords({ stated, truth, held, of, interval }: Checked): string {
  const share = `${held} of ${of} (${interval.low.toFixed(2)} to ${interval.high.toFixed(2)})`;
  return `stated ${stated.toPrecision(4)}, truth ${truth.toPrecision(4)}, holds in ${share}`;
}
