import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import autocannon from 'autocannon';
import type { BenchContext } from '../context.ts';
import { inTurns, ratiosOf, spreadOf } from '../rounds.ts';
import type { Row } from '../row.ts';

const ROUNDS = 5;
const ROUND_S = 4;
const CONNECTIONS = 64;
const SERVER = new URL('../children/http-server.ts', import.meta.url);

/** Decisions a second over HTTP at saturation, beside the same Express that answers a constant. */
export async function httpSaturation({ artifact, texts }: BenchContext): Promise<readonly Row[]> {
  const sides = await Promise.all(['router', 'constant'].map((side) => startSide(side, artifact)));
  const cpuMicroseconds: number[][] = [[], []];
  const bodies = texts.map((prompt) => JSON.stringify({ prompt }));
  const measures = sides.map(({ child, port }, i) => async () => {
    const beforeMs = await cpuMs(child);
    const { answers, seconds } = await saturate(port, bodies);
    cpuMicroseconds[i]!.push((1000 * ((await cpuMs(child)) - beforeMs)) / answers);
    return answers / seconds;
  });
  const [decisions, constants] = await inTurns(measures, { rounds: ROUNDS, warmUp: 1 });
  for (const { child } of sides) child.disconnect();
  const [ours, theirs] = cpuMicroseconds.map((all) => Math.round(spreadOf(all.slice(1)).median));
  return [
    {
      name: 'http-saturation',
      what: 'POST /v1/route at saturation, against the same Express answering a constant',
      unit: 'requests/s',
      value: spreadOf(decisions!),
      samples: Math.round(spreadOf(decisions!).median * ROUND_S),
      peer: {
        what: 'the same Express, JSON reading and sending, constant answer',
        value: spreadOf(constants!),
      },
      ratio: ratiosOf(decisions!, constants!),
      target: { of: 'ratio', is: 'at least', required: 0.5, aim: 0.7 },
      notes: [
        `${CONNECTIONS} connections; processor time of the server per request: ${ours} microseconds, of the constant one ${theirs}`,
      ],
    },
  ];
}

interface Side {
  readonly child: ChildProcess;
  readonly port: number;
}

async function startSide(side: string, artifact: string): Promise<Side> {
  const child = fork(SERVER, [side, artifact], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port };
}

async function cpuMs(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [answer] = (await once(child, 'message')) as [{ cpuMs: number }];
  return answer.cpuMs;
}

async function saturate(
  port: number,
  bodies: readonly string[],
): Promise<{ readonly answers: number; readonly seconds: number }> {
  const result = await autocannon({
    url: `http://127.0.0.1:${port}/v1/route`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    requests: bodies.map((body) => ({ body })),
    connections: CONNECTIONS,
    duration: ROUND_S,
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} answers were refusals and ${result.errors} requests failed.`);
  return { answers: result['2xx'], seconds: result.duration };
}
