import { request } from 'undici';
import { seededRandom } from '../../../router/statistics/index.ts';
import { startFakeProvider } from '../../fake-provider/index.ts';
import { startPlimsoll } from '../gateway/servers.ts';
import { quantile, type Row } from '../measurement.ts';
import { atOnce, figure, type StressContext } from './context.ts';

const STALLS = 0.02;
const STALL_MS = 1_500;
const USUAL_MS = 20;
const WIDTH = 4;
/** Measurements that a hedge waits for are fifty. */
const WARM_UP = 200;
/** Requests of a side before it is the other's turn. */
const ROUND = 500;

interface Side {
  readonly ms: number[];
  costUsd: number;
  failed: number;
}

/** One model at two deployments, of whose requests 2 % get their first byte late: with hedges and without, in turns. */
export async function hedging({ texts, hedged, say }: StressContext): Promise<readonly Row[]> {
  const random = seededRandom(1);
  const late = () => (random() < STALLS ? ('slow-first-byte' as const) : undefined);
  const provider = await startFakeProvider({
    delayMs: USUAL_MS,
    slowMs: STALL_MS,
    faultOf: late,
    remember: 1,
  });
  const start = (hedge: object | undefined) =>
    startPlimsoll({
      providers: { east: provider.url, west: provider.url },
      ladder: { cheap: 'pool/small', strong: 'east/large' },
      upstream: hedge === undefined ? {} : { hedge },
      sections: () => ({
        models: {
          'pool/small': {
            price: { input: 0.1, output: 0.4 },
            deployments: [{ provider: 'east' }, { provider: 'west' }],
          },
          'east/large': { price: { input: 3, output: 12 } },
        },
      }),
    });
  const [plain, hedging] = [await start(undefined), await start({ after: 'p95', max_share: 0.05 })];
  try {
    const sides: readonly [Side, Side] = [newSide(), newSide()];
    const send = (url: string, side: Side, i: number) =>
      timed(url, `${texts[i % texts.length]} (${i})`, side);
    for (const { url } of [plain, hedging]) await atOnce(WARM_UP, WIDTH, (i) => send(url, newSide(), i));
    for (let done = 0; done < hedged; done += ROUND) {
      say(`hedging: ${done} of ${hedged}`);
      const count = Math.min(ROUND, hedged - done);
      await atOnce(count, WIDTH, (i) => send(plain.url, sides[0], done + i));
      await atOnce(count, WIDTH, (i) => send(hedging.url, sides[1], done + i));
    }
    return rowsOf(sides);
  } finally {
    await Promise.all([plain.close(), hedging.close(), provider.close()]);
    for (const one of [plain, hedging]) one.remove();
  }
}

function newSide(): Side {
  return { ms: [], costUsd: 0, failed: 0 };
}

async function timed(url: string, content: string, side: Side): Promise<void> {
  const startedMs = performance.now();
  const { statusCode, headers, body } = await request(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'pool/small', messages: [{ role: 'user', content }] }),
  });
  await body.dump();
  side.ms.push(performance.now() - startedMs);
  side.costUsd += Number(headers['x-plimsoll-cost-usd'] ?? 0);
  if (statusCode !== 200) side.failed++;
}

function rowsOf([plain, hedged]: readonly [Side, Side]): Row[] {
  const samples = hedged.ms.length;
  const p99 = (side: Side) => quantile(side.ms, 0.99);
  const [before, after] = [p99(plain), p99(hedged)];
  return [
    figure('hedging-p99', {
      what: 'p99 with hedges against without, 2 % of the attempts stall',
      unit: 'times',
      value: after / before,
      samples,
      target: { of: 'value', is: 'at most', required: 0.5 },
      notes: [
        `p99 ${Math.round(before)} ms without and ${Math.round(after)} ms with; medians ${Math.round(quantile(plain.ms, 0.5))} and ${Math.round(quantile(hedged.ms, 0.5))} ms; ${plain.failed + hedged.failed} failed`,
      ],
    }),
    figure('hedging-cost', {
      what: 'what hedges cost more, by the cost that each reply names',
      unit: '%',
      value: 100 * (hedged.costUsd / plain.costUsd - 1),
      samples,
      target: { of: 'value', is: 'at most', required: 3 },
      notes: ['of an attempt that was given up the prompt counts, by an estimate'],
    }),
  ];
}
