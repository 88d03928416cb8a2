import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { type BenchContext, inTurns, type Row, spread } from '../measurement.ts';
import { residentMb, serveCommand, startRouteServer } from '../processes.ts';

const ROUNDS = 5;
const DECISIONS = 1_000;

/** From starting the process to the first decision over HTTP, and the memory that it holds after a thousand. */
export async function startup({ artifact, texts }: BenchContext): Promise<readonly Row[]> {
  const memory: number[] = [];
  const served = async () => {
    const server = await startRouteServer(artifact, texts[0]!);
    for (let i = 0; i < DECISIONS; i++) await server.decide(texts[i % texts.length]!);
    memory.push(residentMb(server.pid));
    await server.close();
    return server.firstDecisionMs / 1000;
  };
  const [starts, bareStarts] = await inTurns([served, bareStartSeconds], { rounds: ROUNDS, warmUp: 1 });
  const notes = [`started by ${serveCommand().what}`];
  return [
    {
      name: 'startup',
      what: 'from starting the process to the first decision over HTTP',
      unit: 's',
      value: spread(starts!),
      samples: 1,
      peer: { what: 'node starting, doing nothing and ending', value: spread(bareStarts!) },
      ratio: null,
      target: { of: 'value', is: 'at most', required: 1.5, aim: 0.5 },
      notes,
    },
    {
      name: 'memory',
      what: 'resident memory of the server after 1,000 decisions, static encoder',
      unit: 'MB',
      value: spread(memory.slice(-ROUNDS)),
      samples: DECISIONS,
      peer: { what: 'a node process that does nothing', value: spread([await bareMemoryMb()]) },
      ratio: null,
      target: { of: 'value', is: 'at most', required: 200, aim: 120 },
      notes,
    },
  ];
}

const STATE_ROUNDS = 15;
/** A gateway, which has a decision log; no model is called. */
const GATEWAY = {
  ladder: { cheap: 'nobody/small', strong: 'nobody/large' },
  models: { 'nobody/small': {}, 'nobody/large': {} },
  providers: { nobody: { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1' } },
};

/** What SQLite adds to both, beside the same configuration without a state. */
export async function startupState({ artifact, texts }: BenchContext): Promise<readonly Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-startup-'));
  let files = 0;
  const served = (config: (file: string) => object, logOf: (file: string) => string) => async () => {
    const file = path.join(folder, `${files++}`);
    writeFileSync(`${file}.yaml`, stringify(config(file)));
    const server = await startRouteServer(artifact, texts[0]!, `${file}.yaml`);
    for (let i = 0; i < DECISIONS; i++) await server.decide(texts[i % texts.length]!);
    const mb = residentMb(server.pid);
    await server.close();
    if (!existsSync(logOf(file)))
      throw new Error(`The server wrote no ${logOf(file)}: it had no decision log.`);
    return { ms: server.firstDecisionMs, mb };
  };
  const logFile = (file: string) => `${file}.jsonl`;
  // One for all rounds: the first, which is discarded, makes its tables.
  const database = () => path.join(folder, 'state.db');
  const inFile = (file: string) => ({ ...GATEWAY, decision_log: { file: logFile(file) } });
  const inSqlite = () => ({
    ...GATEWAY,
    state: { url: database() },
    decision_log: { to: 'state' },
  });
  const off = served(inFile, logFile);
  const on = served(inSqlite, database);
  try {
    const [without = [], sqlite = []] = await inTurns([off, on], { rounds: STATE_ROUNDS, warmUp: 1 });
    const row = (
      name: string,
      what: string,
      figure: 'ms' | 'mb',
      { unit, most }: { readonly unit: string; readonly most: number },
    ): Row => ({
      name,
      what,
      unit,
      value: spread(sqlite.map((one, round) => one[figure] - without[round]![figure])),
      samples: 1,
      peer: {
        what: 'all of it with the decision log in a file',
        value: spread(without.map((one) => one[figure])),
      },
      ratio: null,
      target: { of: 'value', is: 'at most', required: most },
      notes: [`with SQLite ${spread(sqlite.map((one) => one[figure])).median.toFixed(0)} ${unit} in all`],
    });
    return [
      row('startup-sqlite', 'added to the start by a decision log in SQLite', 'ms', { unit: 'ms', most: 20 }),
      row('memory-sqlite', 'added to resident memory after 1,000 decisions', 'mb', { unit: 'MB', most: 25 }),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bareStartSeconds(): Promise<number> {
  const startedMs = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return (performance.now() - startedMs) / 1000;
}

async function bareMemoryMb(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'process.send("up"); setInterval(() => {}, 1000)'], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  await once(child, 'message');
  const megabytes = residentMb(child.pid!);
  child.kill();
  return megabytes;
}
