import path from 'node:path';
import { inTurns, openLoop, quantile, type Row, ratios, spread } from '../measurement.ts';
import { type GatewayBenchContext, TARGETS } from './context.ts';
import { CONSTANT_REPLY, startFakeProviderProcess, startPlimsoll } from './servers.ts';
import { createClient } from './sides.ts';

const PER_SECOND = 200;
const LADDER = { cheap: 'fake/small', strong: 'fake/large' };

const captureAll = (folder: string) => ({
  capture: { share: 1 },
  state: { url: path.join(folder, 'state.db') },
});

/** Time of a plain reply at 200 requests a second with capture of everything, beside the same without. */
export async function capture(context: GatewayBenchContext): Promise<readonly Row[]> {
  const provider = await startFakeProviderProcess(CONSTANT_REPLY);
  const providers = { fake: provider.url };
  const started = await Promise.all([
    startPlimsoll({ providers, ladder: LADDER }),
    startPlimsoll({ providers, ladder: LADDER, sections: captureAll }),
  ]);
  const headers = { 'content-type': 'application/json' };
  const clients = [provider, ...started].map(({ url, pid }) =>
    createClient({ url, headers, model: url === provider.url ? 'small' : 'auto', pid }),
  );
  const measures = clients.map((client) => async () => {
    const rate = { perSecond: PER_SECOND, seconds: context.roundSeconds };
    const send = (n: number) => client.plainMs(context.texts[n % context.texts.length] ?? '');
    return quantile(await openLoop(rate, send), 0.5);
  });
  try {
    const [direct = [], off = [], on = []] = await inTurns(measures, { rounds: context.rounds, warmUp: 1 });
    const added = (times: readonly number[]) => times.map((ms, round) => ms - (direct[round] ?? 0));
    return [
      {
        name: 'captured-p50',
        what: `added to a plain answer at ${PER_SECOND} requests/s, p50, with capture of everything`,
        unit: 'ms',
        value: spread(added(on)),
        samples: PER_SECOND * context.roundSeconds,
        peer: { what: 'without capture', value: spread(added(off)) },
        ratio: ratios(added(on), added(off)),
        target: TARGETS.captured,
        notes: ['redaction of every form, in a thread; SQLite'],
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
