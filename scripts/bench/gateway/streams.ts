import { setTimeout as sleep } from 'node:timers/promises';
import { type Row, spread } from '../measurement.ts';
import { memoryGrowth, watchMemory } from '../processes.ts';
import { type GatewayBenchContext, TARGETS } from './context.ts';
import { createClient, type Side, withSides } from './sides.ts';

const CHUNK_MS = 250;
const STALL_MS = 100;
/** All streams start within this time: 1,000 connections at once would be another test. */
const RAMP_MS = 2_000;

interface StreamResults {
  /** Gaps between two chunks that exceed the provider's pace by over 100 ms. */
  readonly stalls: number;
  readonly longestMs: number;
  readonly chunks: number;
  /** Memory of the side's process, in MB. */
  readonly memory: readonly number[];
}

/** Many streams at once: does any stall longer than without a gateway, and does memory stay flat? */
export async function streams(context: GatewayBenchContext): Promise<readonly Row[]> {
  const words = Math.ceil((context.streamSeconds * 1000) / CHUNK_MS);
  const results = await withSides({ shape: { words, chunkMs: CHUNK_MS }, stream: true }, async (sides) => ({
    direct: await manyStreams(sides.direct, context),
    bare: await manyStreams(sides.bare, context),
    plimsoll: await manyStreams(sides.plimsoll, context),
  }));
  return streamRows(results, context);
}

async function manyStreams(side: Side, { streams, texts }: GatewayBenchContext): Promise<StreamResults> {
  const client = createClient(side);
  const memory = watchMemory(side.pid);
  const gaps: number[][] = await Promise.all(
    Array.from({ length: streams }, async (_, i) => {
      await sleep((i * RAMP_MS) / streams);
      return measureGaps(client.stream(String(texts[i % texts.length])));
    }),
  );
  const samples = memory.end();
  await client.close();
  const all = gaps.flat();
  return {
    stalls: all.filter((ms) => ms > CHUNK_MS + STALL_MS).length,
    longestMs: all.reduce((longest, ms) => Math.max(longest, ms), 0),
    chunks: all.length,
    memory: samples,
  };
}

/** The times between one chunk and the next, in ms. */
async function measureGaps(chunks: AsyncIterable<Buffer>): Promise<number[]> {
  const gaps: number[] = [];
  let lastMs: number | undefined;
  for await (const _ of chunks) {
    const nowMs = performance.now();
    if (lastMs !== undefined) gaps.push(nowMs - lastMs);
    lastMs = nowMs;
  }
  return gaps;
}

function streamRows(
  { direct, bare, plimsoll }: Readonly<Record<'direct' | 'bare' | 'plimsoll', StreamResults>>,
  { streams, streamSeconds }: GatewayBenchContext,
): Row[] {
  const what = `${streams} streams of ${streamSeconds} s at once`;
  const peak = ({ memory }: StreamResults) => spread([Math.max(...memory)]);
  const base = { samples: plimsoll.memory.length, ratio: null };
  const bareMemory = { what: 'the bare pass-through', value: peak(bare) };
  const bareGrowth = { what: 'the bare pass-through', value: spread([memoryGrowth(bare.memory)]) };
  const describe = ({ stalls, longestMs, chunks }: StreamResults) =>
    `${stalls} of ${chunks} (longest silence ${Math.round(longestMs)} ms)`;
  return [
    {
      ...base,
      name: 'streams-stalls',
      what: `${what}: stalls over ${STALL_MS} ms, those of the upstream asked directly taken off`,
      unit: 'stalls',
      samples: plimsoll.chunks,
      value: spread([plimsoll.stalls - direct.stalls]),
      peer: { what: 'the bare pass-through', value: spread([bare.stalls - direct.stalls]) },
      target: TARGETS.addedStalls,
      notes: [
        `a chunk every ${CHUNK_MS} ms; stalls: direct ${describe(direct)}, bare ${describe(bare)}, Plimsoll ${describe(plimsoll)}`,
      ],
    },
    {
      ...base,
      name: 'streams-memory',
      what: `${what}: the most resident memory`,
      unit: 'MB',
      value: peak(plimsoll),
      peer: bareMemory,
      target: TARGETS.memoryMb,
      notes: [],
    },
    {
      ...base,
      name: 'streams-growth',
      what: `${what}: resident memory of the last quarter / of the second`,
      unit: 'times',
      value: spread([memoryGrowth(plimsoll.memory)]),
      peer: bareGrowth,
      target: TARGETS.growth,
      notes: [],
    },
  ];
}
