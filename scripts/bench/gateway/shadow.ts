import path from 'node:path';
import { request } from 'undici';
import { configSchema } from '../../../router/config/index.ts';
import { startExperiment } from '../../../router/experiments/index.ts';
import { openState } from '../../../router/state/index.ts';
import { inTurns, openLoop, type Row, ratios, spread } from '../measurement.ts';
import { cpuSeconds } from '../processes.ts';
import { type GatewayBenchContext, TARGETS } from './context.ts';
import { roundQuantiles, SLICES } from './peer-rows.ts';
import { CONSTANT_REPLY, type PlimsollProcess, startFakeProviderProcess, startPlimsoll } from './servers.ts';
import { createClient, type Side } from './sides.ts';

type Context = Pick<GatewayBenchContext, 'texts' | 'rounds' | 'roundSeconds'>;

const LADDER = { cheap: 'fake/small', strong: 'fake/large' };
const HEADERS = { 'content-type': 'application/json' };
const PEER = 'the same without a shadow';
/** Two providers, the client and the gateway share the machine: more would measure its processor. */
const PER_SECOND = 50;
const EXPERIMENTS = {
  dark: {
    kind: 'shadow',
    to: { models: ['shadow/large'] },
    share: 1,
    spend: { '24h': '100000 usd' },
    max_concurrent: 64,
  },
} as const;

/** What it adds to replies that all requests are mirrored to another model: time from request to reply at 50 requests a second, p50 and p99. */
export async function shadow(context: Context): Promise<readonly Row[]> {
  const [provider, other] = await Promise.all([
    startFakeProviderProcess(CONSTANT_REPLY),
    startFakeProviderProcess(CONSTANT_REPLY),
  ]);
  const started: PlimsollProcess[] = [];
  const start = async (experiments: object) => {
    let folderOfRun = '';
    const process = await startPlimsoll({
      providers: { fake: provider.url, shadow: other.url },
      ladder: LADDER,
      sections(folder) {
        folderOfRun = folder;
        return { state: stateIn(folder), decision_log: { to: 'state' }, experiments };
      },
    });
    started.push(process);
    const side: Side = { url: process.url, headers: HEADERS, model: 'auto', pid: process.pid };
    return { side, folder: folderOfRun };
  };
  try {
    const without = await start({});
    const mirrored = await start(EXPERIMENTS);
    await begin(mirrored.folder);
    const sides = [without.side, mirrored.side];
    const before = sides.map(({ pid }) => cpuSeconds(pid) ?? Number.NaN);
    const [plain = [], shadowed = []] = await times(sides, context);
    const used = sides.map(({ pid }, i) => (cpuSeconds(pid) ?? Number.NaN) - before[i]!);
    const cpu = `processor time of the gateway, all rounds: ${used[1]!.toFixed(1)} s, ${used[0]!.toFixed(1)} s without`;
    return rows(plain, shadowed, context, `${await outcomes(mirrored.side)}; ${cpu}`);
  } finally {
    for (const one of started) {
      await one.close();
      one.remove();
    }
    await Promise.all([provider.close(), other.close()]);
  }
}

function stateIn(folder: string) {
  return { kind: 'sqlite', url: path.join(folder, 'state.db') } as const;
}

/** As `plimsoll experiment start` does. */
async function begin(folder: string): Promise<void> {
  const state = await openState({ ...stateIn(folder), migrate: 'auto' });
  const defined = configSchema.parse({ providers: { a: { kind: 'openai' } }, experiments: EXPERIMENTS });
  for (const one of defined.experiments) await startExperiment(one, state, Date.now());
  await state.close();
  await new Promise((resolve) => setTimeout(resolve, 2_500)); // the server looks each second
}

/** p50 and p99 of each round of each side, in ms. */
async function times(
  sides: readonly Side[],
  { rounds, roundSeconds, texts }: Context,
): Promise<readonly (readonly (readonly number[])[])[]> {
  const clients = sides.map(createClient);
  let sent = 0;
  const slices = clients.map((client) => () => {
    const rate = { perSecond: PER_SECOND, seconds: roundSeconds / SLICES };
    return openLoop(rate, () => client.plainMs(String(texts[sent++ % texts.length])));
  });
  const measured = await inTurns(slices, { rounds: rounds * SLICES, warmUp: SLICES });
  for (const client of clients) await client.close();
  return measured.map((one) => roundQuantiles(one, [0.5, 0.99]));
}

function rows(
  plain: readonly (readonly number[])[],
  shadowed: readonly (readonly number[])[],
  { roundSeconds }: Context,
  became: string,
): Row[] {
  return (
    [
      ['p50', 0],
      ['p99', 1],
    ] as const
  ).map(([quantile, at]) => {
    const [value, peer] = [shadowed, plain].map((side) => side.map((round) => round[at] ?? Number.NaN));
    return {
      name: `shadow-${quantile}`,
      what: `a plain answer at ${PER_SECOND} requests/s with all mirrored to another model, ${quantile}`,
      unit: 'ms',
      value: spread(value!),
      samples: PER_SECOND * roundSeconds,
      peer: { what: PEER, value: spread(peer!) },
      ratio: ratios(value!, peer!),
      target: TARGETS.shadowed,
      notes: at === 0 ? [became] : [],
    };
  });
}

async function outcomes({ url }: Side): Promise<string> {
  const { body } = await request(new URL('/metrics', url));
  const found = (await body.text()).matchAll(
    /^plimsoll_shadow_requests_total\{[^}]*outcome="([^"]+)"\} (\d+)/gm,
  );
  return `mirrored requests: ${[...found].map(([, outcome, n]) => `${n} ${outcome}`).join(', ') || 'none'}`;
}
