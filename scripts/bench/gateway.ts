import { wholeNumberBetween } from '../flags.ts';
import { benchTexts } from './fixtures.ts';
import { capture } from './gateway/capture.ts';
import type { GatewayBench, GatewayBenchContext } from './gateway/context.ts';
import { controls } from './gateway/controls.ts';
import { livePage } from './gateway/live-page.ts';
import { outage } from './gateway/outage.ts';
import { firstToken, latency, saturation } from './gateway/performance.ts';
import { shadow } from './gateway/shadow.ts';
import { findPortkey } from './gateway/sides.ts';
import { soak } from './gateway/soak.ts';
import { stateLog } from './gateway/state-log.ts';
import { streams } from './gateway/streams.ts';
import { serveCommand } from './processes.ts';
import { type BenchFlags, benchCommand, runBenches } from './run-benches.ts';

const BENCHES: Readonly<Record<string, GatewayBench>> = {
  latency,
  'first-token': firstToken,
  saturation,
  capture,
  controls,
  state: stateLog,
  shadow,
  streams,
  soak,
  outage,
  live: livePage,
};

interface Flags extends BenchFlags, Omit<GatewayBenchContext, 'texts'> {}

const command = benchCommand(
  'bench:gateway',
  'The gateway beside a bare pass-through and @portkey-ai/gateway, in front of one upstream.',
  BENCHES,
)
  .option('--rounds <n>', 'rounds that count', wholeNumberBetween(1, 100), 5)
  .option('--round-seconds <n>', 'length of a round of one side', wholeNumberBetween(1, 600), 5)
  .option('--streams <n>', 'streams at once', wholeNumberBetween(1, 1_000), 1_000)
  .option('--stream-seconds <n>', 'length of a stream', wholeNumberBetween(1, 600), 10)
  .option('--soak-requests <n>', 'requests of the soak', wholeNumberBetween(100, 1_000_000), 5_000)
  .option(
    '--live-rate <n>',
    'requests a second that the page Live follows',
    wholeNumberBetween(1, 10_000),
    500,
  )
  .parse();

const { json, markdown, only, ...options } = command.opts<Flags>();
const { what: portkey } = findPortkey();
const plimsoll = serveCommand().what;
await runBenches({
  name: 'bench:gateway',
  benches: BENCHES,
  flags: { json, markdown, only },
  context: () => ({ ...options, texts: benchTexts() }),
  beside: `Plimsoll: ${plimsoll}; Portkey: ${portkey}`,
  facts: { plimsoll, portkey, options },
});
