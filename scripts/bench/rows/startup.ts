import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
