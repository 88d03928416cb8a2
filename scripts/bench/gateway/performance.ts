import autocannon from 'autocannon';
import { openLoop, type Row, spread } from '../measurement.ts';
import { cpuSeconds } from '../processes.ts';
import { type GatewayBenchContext, TARGETS } from './context.ts';
import { addedToDirect, type Figures, measureSides, measureTimes, peerRows, SLICES } from './peer-rows.ts';
import { CONSTANT_REPLY } from './servers.ts';
import { type Client, createClient, type Side, type SideName, type Sides, withSides } from './sides.ts';

export const PER_SECOND = 200;
const STREAMS_PER_SECOND = 50;
const CONNECTIONS = 64;
const SIDES: readonly SideName[] = ['direct', 'bare', 'portkey', 'plimsoll'];
/** A paced stream: if everything came at once, nobody could see which side holds it back. */
const PACED = { ...CONSTANT_REPLY, chunkMs: 10 };

interface Load extends GatewayBenchContext {
  readonly perSecond: number;
  readonly quantiles: readonly number[];
}

/** Time that a gateway adds to a plain reply at 200 requests a second: p50 and p99. */
export async function latency(context: GatewayBenchContext): Promise<readonly Row[]> {
  const load = { ...context, perSecond: PER_SECOND, quantiles: [0.5, 0.99] };
  const what = `added to a plain answer at ${PER_SECOND} requests/s`;
  return withSides({ shape: CONSTANT_REPLY, stream: false }, async (sides, portkey) => {
    const [median, tail] = await timeQuantiles(sides, load, (client, text) => client.plainMs(text));
    if (!median || !tail) return [];
    return [
      ...addedRows('added-p50', `${what}, p50`, median, load, portkey),
      ...addedRows('added-p99', `${what}, p99`, tail, load, portkey),
    ];
  });
}

/** Time that a gateway adds to the first text of a stream, p50. */
export async function firstToken(context: GatewayBenchContext): Promise<readonly Row[]> {
  const load = { ...context, perSecond: STREAMS_PER_SECOND, quantiles: [0.5] };
  const what = `added to the time to first token at ${STREAMS_PER_SECOND} streams/s, p50`;
  return withSides({ shape: PACED, stream: true }, async (sides, portkey) => {
    const [median] = await timeQuantiles(sides, load, (client, text) => client.firstTokenMs(text));
    return median ? addedRows('first-token-p50', what, median, load, portkey) : [];
  });
}

/** Plain replies per second at saturation. */
export async function saturation(context: GatewayBenchContext): Promise<readonly Row[]> {
  return withSides({ shape: CONSTANT_REPLY, stream: false }, async (sides, portkey) => {
    const [rates, cpu] = await measureSides(sides, context.rounds, (side) => saturate(side, context));
    return rates && cpu ? saturationRows(rates, cpu, context, portkey) : [];
  });
}

/** Quantiles of the times of every side, in ms. Connections stay open from slice to slice. */
async function timeQuantiles(
  sides: Sides,
  { perSecond, quantiles, rounds, roundSeconds, texts }: Load,
  time: (client: Client, text: string) => Promise<number>,
): Promise<Figures[]> {
  const clients = new Map<Side, Client>();
  let sent = 0;
  const slice = (side: Side) => {
    const client = clients.get(side) ?? createClient(side);
    clients.set(side, client);
    const rate = { perSecond, seconds: roundSeconds / SLICES };
    return openLoop(rate, () => time(client, String(texts[sent++ % texts.length])));
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
  const direct = spread(figures.direct).median.toFixed(2);
  return peerRows(addedToDirect(figures), {
    name,
    what,
    unit: 'ms',
    samples: perSecond * roundSeconds,
    targets: TARGETS.added,
    notes: [`the upstream asked directly takes ${direct} ms`],
    portkey,
  });
}

function saturationRows(
  rates: Figures,
  cpu: Figures,
  { roundSeconds }: GatewayBenchContext,
  portkey: string,
): Row[] {
  return peerRows(rates, {
    name: 'saturation',
    what: 'plain answers at saturation',
    unit: 'requests/s',
    samples: Math.round(spread(rates.plimsoll).median * roundSeconds),
    targets: TARGETS.saturation,
    notes: [
      `${CONNECTIONS} connections; requests/s: ${medians(rates)}`,
      `processor time of each side's process for a request, in microseconds: ${medians(cpu)}`,
    ],
    portkey,
  });
}

/** Requests per second, and the side's processor time for one, in microseconds. */
export async function saturate(
  side: Side,
  { texts, roundSeconds }: Pick<GatewayBenchContext, 'texts' | 'roundSeconds'>,
): Promise<number[]> {
  const before = cpuSeconds(side.pid);
  const result = await autocannon({
    url: `${side.url}/chat/completions`,
    method: 'POST',
    headers: { ...side.headers },
    requests: texts.map((content) => ({
      body: JSON.stringify({ model: side.model, messages: [{ role: 'user', content }] }),
    })),
    connections: CONNECTIONS,
    duration: roundSeconds,
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${side.url}: ${result.non2xx} refusals, ${result.errors} failed requests.`);
  const after = cpuSeconds(side.pid);
  const cpu = before === undefined || after === undefined ? 0 : (after - before) / result['2xx'];
  return [result['2xx'] / result.duration, cpu * 1e6];
}

function medians(figures: Figures): string {
  return SIDES.flatMap((name) => {
    const side = figures[name];
    return side === undefined ? [] : [`${name} ${Math.round(spread(side).median)}`];
  }).join(', ');
}
