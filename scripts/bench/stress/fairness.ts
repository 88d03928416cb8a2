import path from 'node:path';
import { Agent } from 'undici';
import { createKey } from '../../../router/access/index.ts';
import { seededRandom } from '../../../router/statistics/index.ts';
import { startFakeProvider } from '../../fake-provider/index.ts';
import { startPlimsoll } from '../gateway/servers.ts';
import { inTurns, quantile, type Row, ratios, spread } from '../measurement.ts';
import type { StressContext } from './context.ts';

const PLACES = 20;
/** As long as a model takes: what else the machine does is short beside the waits. */
const SERVICE_MS = 1_000;
const OTHERS = 9;
/** Share of what the places can serve, from ten equal keys. */
const LOAD = 0.8;
const ROUNDS = 3;
const PATIENCE_MS = 60_000;

/** Nine keys with a Poisson stream of requests each: alone, beside a tenth with the same, and beside a tenth with ten times as much, in turns. */
export async function fairness({ texts, seconds, say }: StressContext): Promise<readonly Row[]> {
  const provider = await startFakeProvider({ delayMs: SERVICE_MS, remember: 1 });
  const keys: string[] = [];
  const plimsoll = await startPlimsoll({
    providers: { fake: provider.url },
    ladder: { cheap: 'fake/small', strong: 'fake/large' },
    sections: (folder) => {
      const file = path.join(folder, 'keys.json');
      for (let i = 0; i <= OTHERS; i++) keys.push(createKey(file, { name: `key ${i}`, now: new Date() }).key);
      const gateway = { max_concurrency: PLACES, max_queue: 10 * PLACES, max_wait_ms: 60_000 };
      return { access: { keys_file: file }, gateway };
    },
  });
  try {
    const rate = (LOAD * PLACES * 1_000) / SERVICE_MS / (OTHERS + 1);
    const round = async (busyRate: number): Promise<number> => {
      say(`fairness: the tenth key sends ${busyRate} requests a second`);
      const waits = await waitsOfOthers({ url: plimsoll.url, keys, texts, seconds, rate, busyRate });
      return quantile(waits, 0.95);
    };
    const [alone = [], like = [], busy = []] = await inTurns(
      [0, rate, 10 * rate].map((busyRate) => () => round(busyRate)),
      { rounds: ROUNDS },
    );
    const ms = (values: readonly number[]) => {
      const { median, low, high } = spread(values);
      return `${Math.round(median)} ms (${Math.round(low)} to ${Math.round(high)})`;
    };
    return [
      {
        name: 'fairness-p95',
        what: 'p95 wait of nine keys beside one with ten times their load',
        unit: 'ms',
        value: spread(busy),
        samples: Math.round(OTHERS * rate * seconds),
        peer: { what: 'beside one like them', value: spread(like) },
        ratio: ratios(busy, like),
        target: { of: 'ratio', is: 'at most', required: 1.5 },
        notes: [
          `${PLACES} places of ${SERVICE_MS} ms, ${rate} requests a second of each key`,
          `the nine alone wait ${ms(alone)}; a tenth like them has its share too, so theirs alone is no measure of fairness at this load`,
        ],
      },
    ];
  } finally {
    await Promise.all([plimsoll.close(), provider.close()]);
    plimsoll.remove();
  }
}

interface Round {
  readonly url: string;
  readonly keys: readonly string[];
  readonly texts: readonly string[];
  readonly seconds: number;
  readonly rate: number;
  readonly busyRate: number;
}

/** In ms beyond what the provider takes. A request that breaks off is left out. */
async function waitsOfOthers({ url, keys, texts, seconds, rate, busyRate }: Round): Promise<number[]> {
  const random = seededRandom(3);
  const waits: number[] = [];
  const sent: Promise<void>[] = [];
  const agent = new Agent({ connect: { timeout: PATIENCE_MS }, headersTimeout: PATIENCE_MS });
  const send = async (key: number, i: number) => {
    const startedMs = performance.now();
    const content = texts[i % texts.length];
    const { body } = await agent.request({
      origin: new URL(url).origin,
      path: '/v1/chat/completions',
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keys[key]}` },
      body: JSON.stringify({ model: 'fake/small', messages: [{ role: 'user', content }] }),
    });
    await body.dump();
    if (key < OTHERS) waits.push(Math.max(0, performance.now() - startedMs - SERVICE_MS));
  };
  const stream = async (key: number, perSecond: number) => {
    if (perSecond === 0) return;
    const endMs = performance.now() + 1_000 * seconds;
    let atMs = performance.now();
    for (let i = 0; ; i++) {
      atMs += (-Math.log(1 - random()) / perSecond) * 1_000;
      if (atMs > endMs) return;
      await new Promise((resolve) => setTimeout(resolve, atMs - performance.now()));
      sent.push(send(key, i).catch(() => {}));
    }
  };
  await Promise.all(keys.map((_, key) => stream(key, key < OTHERS ? rate : busyRate)));
  await Promise.all(sent);
  await agent.close();
  return waits;
}
