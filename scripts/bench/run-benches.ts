import { Command } from 'commander';
import { PlimsollError } from '../../router/errors.ts';
import { printJson } from '../terminal.ts';
import { type JudgedRow, judge, type Row, selectBenches } from './measurement.ts';
import { describeMachine, machineLine, reportMarkdown, reportText } from './report.ts';

export interface BenchFlags {
  readonly json?: boolean | undefined;
  readonly markdown?: boolean | undefined;
  /** Names of benchmarks, with commas between them. */
  readonly only?: string | undefined;
}

type Say = (line: string) => void;

interface BenchRun<Context> {
  /** Name of the command: begins each line of its progress. */
  readonly name: string;
  readonly benches: Readonly<Record<string, (context: Context) => Promise<readonly Row[]>>>;
  readonly flags: BenchFlags;
  readonly context: (say: Say) => Context | Promise<Context>;
  /** Said beside the machine. */
  readonly beside?: string;
  /** Further fields of the JSON. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** A command with the flags that all of them take; others are added before it is parsed. */
export function benchCommand(name: string, description: string, benches: object): Command {
  return new Command(name)
    .description(description)
    .option('--json', 'the result as one JSON document on stdout')
    .option('--markdown', 'the table for docs/BENCHMARKS.md')
    .option('--only <names>', `some of ${Object.keys(benches).join(', ')}, with commas between them`);
}

/** Runs the benchmarks that are wanted and prints their rows. Exit code: 1 if a target is missed, 2 for wrong usage. */
export async function runBenches<Context>(run: BenchRun<Context>): Promise<void> {
  const say = (line: string) => void process.stderr.write(`${run.name}: ${line}\n`);
  try {
    await measure(run, say);
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    say(error.message);
    process.exitCode = 2;
  }
}

async function measure<Context>(run: BenchRun<Context>, say: Say): Promise<void> {
  const { benches, flags, facts, beside } = run;
  const names = selectBenches(benches, flags.only);
  const machine = describeMachine();
  say(`${machineLine(machine)}${beside === undefined ? '' : `; ${beside}`}`);
  const context = await run.context(say);
  const rows: JudgedRow[] = [];
  for (const name of names) {
    say(`${name} ...`);
    rows.push(...(await benches[name]!(context)).map(judge));
  }
  if (flags.json) printJson({ schema_version: 1, machine, ...facts, rows });
  else
    process.stdout.write(`${flags.markdown ? reportMarkdown(machine, rows) : reportText(machine, rows)}\n`);
  if (rows.some(({ met }) => met === false)) process.exitCode = 1;
}
