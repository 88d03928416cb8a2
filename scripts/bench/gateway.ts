import { Command } from 'commander';
import { PlimsollError } from '../../router/errors.ts';
import { wholeNumberBetween } from '../flags.ts';
import { printJson } from '../terminal.ts';
import { benchTexts } from './fixtures.ts';
import { capture } from './gateway/capture.ts';
import type { GatewayBench } from './gateway/context.ts';
import { outage } from './gateway/outage.ts';
import { firstToken, latency, saturation } from './gateway/performance.ts';
import { findPortkey } from './gateway/sides.ts';
import { soak } from './gateway/soak.ts';
import { stateLog } from './gateway/state-log.ts';
import { streams } from './gateway/streams.ts';
import { type JudgedRow, judge, selectBenches } from './measurement.ts';
import { serveCommand } from './processes.ts';
import { describeMachine, machineLine, reportMarkdown, reportText } from './report.ts';

const BENCHES: Readonly<Record<string, GatewayBench>> = {
  latency,
  'first-token': firstToken,
  saturation,
  capture,
  state: stateLog,
  streams,
  soak,
  outage,
};

interface Flags {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly only?: string;
  readonly rounds: number;
  readonly roundSeconds: number;
  readonly streams: number;
  readonly streamSeconds: number;
  readonly soakRequests: number;
}

const command = new Command('bench:gateway')
  .description('The gateway beside a bare pass-through and @portkey-ai/gateway, in front of one upstream.')
  .option('--json', 'the result as one JSON document on stdout')
  .option('--markdown', 'the table for docs/BENCHMARKS.md')
  .option('--only <names>', `some of ${Object.keys(BENCHES).join(', ')}, with commas between them`)
  .option('--rounds <n>', 'rounds that count', wholeNumberBetween(1, 100), 5)
  .option('--round-seconds <n>', 'length of a round of one side', wholeNumberBetween(1, 600), 5)
  .option('--streams <n>', 'streams at once', wholeNumberBetween(1, 1_000), 1_000)
  .option('--stream-seconds <n>', 'length of a stream', wholeNumberBetween(1, 600), 10)
  .option('--soak-requests <n>', 'requests of the soak', wholeNumberBetween(100, 1_000_000), 5_000)
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
  const { what: portkey } = findPortkey();
  const plimsoll = serveCommand().what;
  say(`${machineLine(machine)}; Plimsoll: ${plimsoll}; Portkey: ${portkey}`);
  const context = { ...options, texts: benchTexts() };
  const rows: JudgedRow[] = [];
  for (const name of names) {
    say(`${name} ...`);
    rows.push(...(await BENCHES[name]!(context)).map(judge));
  }
  if (json) printJson({ schema_version: 1, machine, plimsoll, portkey, options, rows });
  else process.stdout.write(`${markdown ? reportMarkdown(machine, rows) : reportText(machine, rows)}\n`);
  if (rows.some(({ met }) => met === false)) process.exitCode = 1;
}

function say(line: string): void {
  process.stderr.write(`bench:gateway: ${line}\n`);
}
