import { Command } from 'commander';
import { PlimsollError } from '../../router/errors.ts';
import { printJson } from '../terminal.ts';
import { benchTexts, minilmArtifact, staticArtifact } from './fixtures.ts';
import { type Bench, type BenchContext, type JudgedRow, judge, selectBenches } from './measurement.ts';
import { describeMachine, type Machine, machineLine, reportMarkdown, reportText } from './report.ts';
import { decisionMinilm, decisionNeighbours, decisionStatic } from './rows/decisions.ts';
import { gate } from './rows/gate.ts';
import { hostile } from './rows/hostile.ts';
import { eventLoop, httpSaturation } from './rows/load.ts';
import { startup, startupState } from './rows/startup.ts';
import { train } from './rows/train.ts';

const BENCHES: Readonly<Record<string, Bench>> = {
  startup,
  'startup-state': startupState,
  'decision-static': decisionStatic,
  'decision-neighbours': decisionNeighbours,
  'decision-minilm': decisionMinilm,
  'event-loop': eventLoop,
  'http-saturation': httpSaturation,
  train,
  gate,
  hostile,
};

interface BenchOptions {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly only?: string;
  readonly artifact?: string;
}

const command = new Command('bench')
  .description('Measures what Plimsoll promises about speed, each figure beside its floor or peer.')
  .option('--json', 'the result as one JSON document on stdout')
  .option('--markdown', 'the table for docs/BENCHMARKS.md')
  .option('--only <names>', `some of ${Object.keys(BENCHES).join(', ')}, with commas between them`)
  .option('--artifact <folder>', 'an artifact with the static encoder (default: models/starter, else made)')
  .parse();

try {
  await bench(command.opts<BenchOptions>());
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  say(error.message);
  process.exitCode = 2;
}

async function bench({ only, artifact, ...format }: BenchOptions): Promise<void> {
  const names = selectBenches(BENCHES, only);
  const machine = describeMachine();
  say(machineLine(machine));
  const context = await contextOf(artifact);
  const rows: JudgedRow[] = [];
  for (const name of names) {
    say(`${name} ...`);
    rows.push(...(await BENCHES[name]!(context)).map(judge));
  }
  print(format, machine, rows);
  if (rows.some(({ met }) => met === false)) process.exitCode = 1;
}

async function contextOf(asked: string | undefined): Promise<BenchContext> {
  const texts = benchTexts();
  const artifact = await staticArtifact(asked, texts);
  let minilm: Promise<string> | undefined;
  return {
    artifact,
    texts,
    say,
    minilmArtifact() {
      minilm ??= minilmArtifact(texts);
      return minilm;
    },
  };
}

function print({ json, markdown }: BenchOptions, machine: Machine, rows: readonly JudgedRow[]): void {
  if (json) printJson({ schema_version: 1, machine, rows });
  else process.stdout.write(`${markdown ? reportMarkdown(machine, rows) : reportText(machine, rows)}\n`);
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
