import { Command } from 'commander';
import { PlimsollError } from '../../router/errors.ts';
import { wholeNumberBetween } from '../flags.ts';
import { printJson } from '../terminal.ts';
import { benchTexts } from './fixtures.ts';
import { type JudgedRow, judge, selectBenches } from './measurement.ts';
import { describeMachine, machineLine, reportMarkdown, reportText } from './report.ts';
import type { StateBench } from './state/context.ts';
import { instances } from './state/instances.ts';
import { threads } from './state/threads.ts';

const BENCHES: Readonly<Record<string, StateBench>> = { instances, threads };

interface Flags {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly only?: string;
  readonly requests: number;
  readonly threads: number;
  readonly turns: number;
  readonly reads: number;
}

const command = new Command('bench:state')
  .description(
    'Two instances on one PostgreSQL and one Redis while one of them and the database are killed, and the time to resolve stored threads.',
  )
  .option('--json', 'the result as one JSON document on stdout')
  .option('--markdown', 'the table for docs/BENCHMARKS.md')
  .option('--only <names>', `some of ${Object.keys(BENCHES).join(', ')}, with commas between them`)
  .option('--requests <n>', 'to the two instances', wholeNumberBetween(400, 1_000_000), 50_000)
  .option('--threads <n>', 'that are stored', wholeNumberBetween(1, 1_000_000), 10_000)
  .option('--turns <n>', 'responses of a thread', wholeNumberBetween(1, 900), 50)
  .option('--reads <n>', 'threads that are resolved in a round', wholeNumberBetween(1, 100_000), 1_000)
  .parse();

try {
  await bench(command.opts<Flags>());
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  say(error.message);
  process.exitCode = 2;
}

async function bench({ only, json, markdown, ...options }: Flags): Promise<void> {
  const names = selectBenches(BENCHES, only);
  const machine = describeMachine();
  say(machineLine(machine));
  const context = { ...options, texts: benchTexts(), say };
  const rows: JudgedRow[] = [];
  for (const name of names) {
    say(`${name} ...`);
    rows.push(...(await BENCHES[name]!(context)).map(judge));
  }
  if (json) printJson({ schema_version: 1, machine, options, rows });
  else process.stdout.write(`${markdown ? reportMarkdown(machine, rows) : reportText(machine, rows)}\n`);
  if (rows.some(({ met }) => met === false)) process.exitCode = 1;
}

function say(line: string): void {
  process.stderr.write(`bench:state: ${line}\n`);
}
