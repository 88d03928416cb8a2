import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../../router/config/index.ts';
import { createRouter } from '../../../router/create-router.ts';
import type { Router } from '../../../router/router.ts';
import type { BenchContext } from '../context.ts';
import { inTurns, spreadOf } from '../rounds.ts';
import type { Row } from '../row.ts';

const ROUNDS = 5;
const ROUND_MS = 2_000;
/** Requests at work at once: more than there are threads, so that no thread ever waits for a text. */
const IN_FLIGHT = 16;

/** How late the event loop gets to anything else while MiniLM decisions keep every encoder thread at work. */
export async function eventLoop({ minilmArtifact, texts }: BenchContext): Promise<readonly Row[]> {
  const router = await createRouter(
    loadConfig(undefined, {}, { artifact: await minilmArtifact(), allowUngated: true }),
  );
  const [idle, loaded] = await inTurns(
    [() => delayP99Ms(() => sleep(ROUND_MS)), () => delayP99Ms(() => saturate(router, texts))],
    { rounds: ROUNDS, warmUp: 1 },
  );
  const { decisions } = router.health();
  await router.close();
  return [
    {
      name: 'event-loop',
      what: 'event-loop delay p99 while MiniLM decisions saturate the encoder threads, idle delay taken off',
      unit: 'ms',
      value: spreadOf(loaded!.map((ms, i) => Math.max(0, ms - idle![i]!))),
      samples: ROUND_MS,
      peer: { what: 'event-loop delay p99, idle', value: spreadOf(idle!) },
      ratio: null,
      target: { of: 'value', is: 'at most', required: 10 },
      notes: [`${Math.round(decisions / (((ROUNDS + 1) * ROUND_MS) / 1000))} decisions a second meanwhile`],
    },
  ];
}

async function delayP99Ms(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  delay.disable();
  return delay.percentile(99) / 1e6;
}

async function saturate(router: Router, texts: readonly string[]): Promise<void> {
  const endMs = performance.now() + ROUND_MS;
  let next = 0;
  const client = async () => {
    while (performance.now() < endMs) await router.route({ prompt: texts[next++ % texts.length]! });
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
}
