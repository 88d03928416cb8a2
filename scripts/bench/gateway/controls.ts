import path from 'node:path';
import { createKey } from '../../../router/access/index.ts';
import { inTurns, openLoop, type Row, ratios, spread } from '../measurement.ts';
import { type GatewayBenchContext, TARGETS } from './context.ts';
import { roundQuantiles, SLICES } from './peer-rows.ts';
import { PER_SECOND, saturate } from './performance.ts';
import { CONSTANT_REPLY, type PlimsollProcess, startFakeProviderProcess, startPlimsoll } from './servers.ts';
import { createClient, type Side } from './sides.ts';

const LADDER = { cheap: 'fake/small', strong: 'fake/large' };
const HEADERS = { 'content-type': 'application/json' };

/** What a team has in production: rules of which most do not fire, sessions that keep their model, limits over several windows. */
const CONTROLS = {
  rules: [
    { name: 'secrets', when: { matches: '(?i)\\bclassified\\b' }, refuse: 'Not over this network.' },
    { name: 'payments', when: { tag: ['payments', 'legal'] }, at_least: 'strong' },
    { name: 'pictures', when: { images: true }, use: 'strong' },
    { name: 'night', when: { tag: 'batch', hours: { from: '22:00', to: '06:00' } }, at_most: 'cheap' },
    {
      name: 'nearly-spent',
      when: { budget_used: { limit: 'each-key', at_least: 0.95 } },
      at_most: 'cheap',
    },
    { name: 'long', when: { characters: { at_least: 100_000 } }, at_least: 'strong' },
  ],
  sessions: { stickiness: 'priced' },
  limits: [
    {
      name: 'each-key',
      for: { key: '*' },
      windows: [{ '1m': '10000000 requests' }, { '24h': '1000 usd' }, { month: '10000 usd' }],
    },
  ],
  budgets: { default_max_tokens: 1024 },
};

/** What rules, sessions and budgets cost: time at 200 requests a second and processor time, beside the same gateway and API key without them. */
export async function controls({
  texts,
  rounds,
  roundSeconds,
}: GatewayBenchContext): Promise<readonly Row[]> {
  const provider = await startFakeProviderProcess(CONSTANT_REPLY);
  const started: PlimsollProcess[] = [];
  const start = async (more: (folder: string) => object): Promise<Side> => {
    let key = '';
    const process = await startPlimsoll({
      providers: { fake: provider.url },
      ladder: LADDER,
      sections: (folder) => {
        const file = path.join(folder, 'keys.json');
        key = createKey(file, { name: 'bench', now: new Date() }).key;
        return { access: { keys_file: file }, ...more(folder) };
      },
    });
    started.push(process);
    const headers = { ...HEADERS, authorization: `Bearer ${key}` };
    return { url: process.url, headers, model: 'auto', pid: process.pid };
  };
  const clients: ReturnType<typeof createClient>[] = [];
  try {
    const direct: Side = { url: provider.url, headers: HEADERS, model: 'small', pid: provider.pid };
    const servers = [
      await start(() => ({})),
      await start((folder) => ({ ...CONTROLS, state: { url: path.join(folder, 'state.db') } })),
    ];
    clients.push(...[direct, ...servers].map(createClient));
    let sent = 0;
    const slices = clients.map((client) => () => {
      const rate = { perSecond: PER_SECOND, seconds: roundSeconds / SLICES };
      return openLoop(rate, () => client.plainMs(String(texts[sent++ % texts.length])));
    });
    const times = await inTurns(slices, { rounds: rounds * SLICES, warmUp: SLICES });
    const [alone = [], without = [], withControls = []] = times.map((one) =>
      roundQuantiles(one, [0.5]).map(([p50 = Number.NaN]) => p50),
    );
    const added = (side: readonly number[]) => side.map((ms, round) => ms - (alone[round] ?? 0));
    const [plain = [], full = []] = (
      await inTurns(
        servers.map((side) => () => saturate(side, { texts, roundSeconds })),
        { rounds, warmUp: 1 },
      )
    ).map((one) => one.map(([, cpu = Number.NaN]) => cpu));
    const peer = 'the same gateway with API keys and none of them';
    return [
      {
        name: 'controls-p50',
        what: `added to a plain answer at ${PER_SECOND} requests/s, p50, with rules, sessions and budgets`,
        unit: 'ms',
        value: spread(added(withControls)),
        samples: PER_SECOND * roundSeconds,
        peer: { what: peer, value: spread(added(without)) },
        ratio: ratios(added(withControls), added(without)),
        target: TARGETS.controls,
        notes: ['six rules, priced sessions, three windows, the ledger in SQLite'],
      },
      {
        name: 'controls-cpu',
        what: 'processor time of the process for a request at saturation, with rules, sessions and budgets',
        unit: 'microseconds',
        value: spread(full),
        samples: rounds,
        peer: { what: peer, value: spread(plain) },
        ratio: ratios(full, plain),
        target: null,
        notes: [],
      },
    ];
  } finally {
    for (const client of clients) await client.close();
    for (const one of started) {
      await one.close();
      one.remove();
    }
    await provider.close();
  }
}
