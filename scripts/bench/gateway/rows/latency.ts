import { spreadOf } from '../../rounds.ts';
import type { Row } from '../../row.ts';
import { addedTo, type Figures, measureTimes, rowsBesidePeers, SLICES } from '../beside-peers.ts';
import { type Client, clientOf } from '../client.ts';
import type { GatewayBenchContext } from '../context.ts';
import { openLoop } from '../open-loop.ts';
import { type Side, type Sides, withSides } from '../sides.ts';
import { TARGETS } from '../targets.ts';
import { CONSTANT } from '../upstream-process.ts';

const PER_SECOND = 200;
const STREAMS_PER_SECOND = 50;
/** A paced stream: else an upstream that writes all at once would hide who holds it back. */
const PACED = { ...CONSTANT, chunkMs: 10 };

/** What a gateway adds to a plain answer at 200 requests a second: p50 and p99. */
export async function latency(context: GatewayBenchContext): Promise<readonly Row[]> {
  const load = { ...context, perSecond: PER_SECOND, quantiles: [0.5, 0.99] };
  const what = `added to a plain answer at ${PER_SECOND} requests/s`;
  return withSides({ shape: CONSTANT, stream: false }, async (sides, portkey) => {
    const [median, tail] = await quantilesOf(sides, load, (client, text) => client.plainMs(text));
    return [
      ...addedRows('added-p50', `${what}, p50`, median!, load, portkey),
      ...addedRows('added-p99', `${what}, p99`, tail!, load, portkey),
    ];
  });
}

/** What a gateway adds to the time to the first byte of a stream's body, p50. */
export async function firstToken(context: GatewayBenchContext): Promise<readonly Row[]> {
  const load = { ...context, perSecond: STREAMS_PER_SECOND, quantiles: [0.5] };
  const what = `added to the time to first token at ${STREAMS_PER_SECOND} streams/s, p50`;
  return withSides({ shape: PACED, stream: true }, async (sides, portkey) => {
    const [median] = await quantilesOf(sides, load, (client, text) => client.firstByteMs(text));
    return addedRows('first-token-p50', what, median!, load, portkey);
  });
}

interface Load extends GatewayBenchContext {
  readonly perSecond: number;
  readonly quantiles: readonly number[];
}

/** Of the times of every side, in ms. Its connections stay open from slice to slice. */
async function quantilesOf(
  sides: Sides,
  { perSecond, quantiles, rounds, roundSeconds, texts }: Load,
  ask: (client: Client, text: string) => Promise<number>,
): Promise<Figures[]> {
  const clients = new Map<Side, Client>();
  let asked = 0;
  const slice = (side: Side) => {
    const client = clients.get(side) ?? clientOf(side);
    clients.set(side, client);
    const rate = { perSecond, seconds: roundSeconds / SLICES };
    return openLoop(rate, () => ask(client, texts[asked++ % texts.length]!));
  };
  try {
    return await measureTimes(sides, rounds, slice, quantiles);
  } finally {
    for (const client of clients.values()) await client.close();
  }
}

function addedRows(
  name: string,
  what: string,
  figures: Figures,
  { perSecond, roundSeconds }: Load,
  portkey: string,
): Row[] {
  const direct = spreadOf(figures.direct!).median.toFixed(2);
  return rowsBesidePeers(addedTo(figures), {
    name,
    what,
    unit: 'ms',
    samples: perSecond * roundSeconds,
    targets: TARGETS.added,
    notes: [`the upstream asked directly takes ${direct} ms`],
    portkey,
  });
}
