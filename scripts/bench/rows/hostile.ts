import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { CONSTANT_REPLY, startFakeProviderProcess, startPlimsoll } from '../gateway/servers.ts';
import { type BenchContext, type Row, spread } from '../measurement.ts';
import { watchMemory } from '../processes.ts';
import { HOSTILE_CASES, type HostileCase, wireBody } from './hostile-bodies.ts';

const ROUNDS = 3;
const HEAP_MB = 512;
const IDLE_MS = 2_000;
const PROBE = fileURLToPath(new URL('../children/health-probe.ts', import.meta.url));

/** Hostile requests to one small process: how long /healthz has to wait meanwhile, and the most memory that it holds. */
export async function hostile({ say }: BenchContext): Promise<readonly Row[]> {
  const upstream = await startFakeProviderProcess(CONSTANT_REPLY);
  const plimsoll = await startPlimsoll({
    providers: { demo: upstream.url },
    ladder: { cheap: 'demo/small', strong: 'demo/large' },
    nodeFlags: [`--max-old-space-size=${HEAP_MB}`],
  });
  const probe = fork(PROBE, [String(plimsoll.port)], { execArgv: ['--import', 'tsx'] });
  await once(probe, 'message');
  const memory = watchMemory(plimsoll.pid);
  const sender = new Agent({ connections: 32, pipelining: 0 });
  try {
    const delays = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round++) {
      await worstDelayMs(probe);
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      note(delays, 'idle', await worstDelayMs(probe));
      for (const one of HOSTILE_CASES) {
        const body = wireBody(one);
        await worstDelayMs(probe);
        const statuses = await sendAll(`http://127.0.0.1:${plimsoll.port}`, one, body, sender);
        const delayMs = await worstDelayMs(probe);
        note(delays, one.name, delayMs);
        say(`  ${one.name}: ${delayMs.toFixed(0)} ms, ${statuses}`);
      }
    }
    const peakMb = Math.max(...memory.end());
    return [...HOSTILE_CASES.map(({ name }) => delayRow(name, delays)), memoryRow(peakMb)];
  } finally {
    probe.disconnect();
    await sender.destroy();
    await Promise.all([plimsoll.kill(), upstream.kill()]);
    plimsoll.remove();
  }
}

async function worstDelayMs(probe: ChildProcess): Promise<number> {
  const answer = once(probe, 'message');
  probe.send('take');
  const [{ worstMs }] = (await answer) as [{ worstMs: number }];
  return worstMs;
}

/** @returns the statuses, each with how many got it */
async function sendAll(
  origin: string,
  { path, gzip, copies = 1 }: HostileCase,
  body: Buffer,
  dispatcher: Agent,
): Promise<string> {
  const headers = {
    'content-type': 'application/json',
    'anthropic-version': '2023-06-01',
    ...(gzip && { 'content-encoding': 'gzip' }),
  };
  const statuses = await Promise.all(
    Array.from({ length: copies }, async () => {
      try {
        const answer = await request(`${origin}${path}`, { method: 'POST', headers, body, dispatcher });
        await answer.body.dump();
        return String(answer.statusCode);
      } catch {
        return 'broken';
      }
    }),
  );
  const counts = new Map<string, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} x ${status}`).join(', ');
}

function note(delays: Map<string, number[]>, name: string, delayMs: number): void {
  delays.set(name, [...(delays.get(name) ?? []), delayMs]);
}

function delayRow(name: string, delays: ReadonlyMap<string, readonly number[]>): Row {
  return {
    name: `hostile, ${name}`,
    what: 'the longest delay of /healthz while the server has this to do',
    unit: 'ms',
    value: spread(delays.get(name)!),
    samples: 1,
    peer: {
      what: 'the longest delay of /healthz in two seconds without it',
      value: spread(delays.get('idle')!),
    },
    ratio: null,
    target: { of: 'value', is: 'at most', required: 500, aim: 100 },
    notes: [],
  };
}

function memoryRow(peakMb: number): Row {
  return {
    name: 'hostile, memory',
    what: `the most resident memory of the server, started with --max-old-space-size=${HEAP_MB}`,
    unit: 'MB',
    value: spread([peakMb]),
    samples: ROUNDS * HOSTILE_CASES.length,
    peer: null,
    ratio: null,
    target: { of: 'value', is: 'at most', required: 1_024 },
    notes: [],
  };
}
