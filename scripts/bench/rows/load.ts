import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { loadConfig } from '../../../router/config/index.ts';
import { createRouter } from '../../../router/create-router.ts';
import type { Router } from '../../../router/router.ts';
import { type BenchContext, inTurns, type Row, ratios, spread } from '../measurement.ts';

const ROUNDS = 5;
const ROUND_SECONDS = 4;
const CONNECTIONS = 64;
const ROUND_MS = 2_000;
/** Concurrent requests: more than there are threads, so that no thread ever waits for a text. */
const IN_FLIGHT = 16;
const SERVER = new URL('../children/http-server.ts', import.meta.url);

/** Decisions per second over HTTP at saturation, compared with the same Express sending a constant. */
export async function httpSaturation({ artifact, texts }: BenchContext): Promise<readonly Row[]> {
  const sides = await Promise.all(['router', 'constant'].map((side) => startSide(side, artifact)));
  const cpuMicroseconds: number[][] = [[], []];
  const bodies = texts.map((prompt) => JSON.stringify({ prompt }));
  const measures = sides.map(({ child, port }, i) => async () => {
    const beforeMs = await cpuMs(child);
    const { responses, seconds } = await loadServer(port, bodies);
    cpuMicroseconds[i]!.push((1000 * ((await cpuMs(child)) - beforeMs)) / responses);
    return responses / seconds;
  });
  const [decisions, constants] = await inTurns(measures, { rounds: ROUNDS, warmUp: 1 });
  for (const { child } of sides) child.disconnect();
  const [ours, theirs] = cpuMicroseconds.map((all) => Math.round(spread(all.slice(1)).median));
  return [
    {
      name: 'http-saturation',
      what: 'POST /v1/route at saturation, against the same Express answering a constant',
      unit: 'requests/s',
      value: spread(decisions!),
      samples: Math.round(spread(decisions!).median * ROUND_SECONDS),
      peer: {
        what: 'the same Express, JSON reading and sending, constant answer',
        value: spread(constants!),
      },
      ratio: ratios(decisions!, constants!),
      target: { of: 'ratio', is: 'at least', required: 0.5, aim: 0.7 },
      notes: [
        `${CONNECTIONS} connections; processor time of the server per request: ${ours} microseconds, of the constant one ${theirs}`,
      ],
    },
  ];
}

/** Event-loop delay while MiniLM decisions keep every encoder thread busy. */
export async function eventLoop({ minilmArtifact, texts }: BenchContext): Promise<readonly Row[]> {
  const router = await createRouter(
    loadConfig(undefined, {}, { artifact: await minilmArtifact(), allowUngated: true }),
  );
  const [idle, loaded] = await inTurns(
    [() => delayP99Ms(() => sleep(ROUND_MS)), () => delayP99Ms(() => keepEncodersBusy(router, texts))],
    { rounds: ROUNDS, warmUp: 1 },
  );
  const { decisions } = router.health();
  await router.close();
  return [
    {
      name: 'event-loop',
      what: 'event-loop delay p99 while MiniLM decisions saturate the encoder threads, idle delay taken off',
      unit: 'ms',
      value: spread(loaded!.map((ms, i) => Math.max(0, ms - idle![i]!))),
      samples: ROUND_MS,
      peer: { what: 'event-loop delay p99, idle', value: spread(idle!) },
      ratio: null,
      target: { of: 'value', is: 'at most', required: 10 },
      notes: [`${Math.round(decisions / (((ROUNDS + 1) * ROUND_MS) / 1000))} decisions a second meanwhile`],
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
  const [reply] = (await once(child, 'message')) as [{ cpuMs: number }];
  return reply.cpuMs;
}

async function loadServer(
  port: number,
  bodies: readonly string[],
): Promise<{ readonly responses: number; readonly seconds: number }> {
  const result = await autocannon({
    url: `http://127.0.0.1:${port}/v1/route`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    requests: bodies.map((body) => ({ body })),
    connections: CONNECTIONS,
    duration: ROUND_SECONDS,
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} responses were refusals and ${result.errors} requests failed.`);
  return { responses: result['2xx'], seconds: result.duration };
}

async function delayP99Ms(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  delay.disable();
  return delay.percentile(99) / 1e6;
}

async function keepEncodersBusy(router: Router, texts: readonly string[]): Promise<void> {
  const endMs = performance.now() + ROUND_MS;
  let next = 0;
  const client = async () => {
    while (performance.now() < endMs) await router.route({ prompt: texts[next++ % texts.length]! });
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
}
