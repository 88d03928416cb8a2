import { wholeNumberBetween } from '../flags.ts';
import { benchTexts } from './fixtures.ts';
import { type BenchFlags, benchCommand, runBenches } from './run-benches.ts';
import { affinity } from './stress/affinity.ts';
import { broken } from './stress/broken-streams.ts';
import { budget } from './stress/budget.ts';
import type { StressBench, StressContext } from './stress/context.ts';
import { fairness } from './stress/fairness.ts';
import { hedging } from './stress/hedging.ts';

const BENCHES: Readonly<Record<string, StressBench>> = { budget, broken, hedging, affinity, fairness };

interface Flags extends BenchFlags, Omit<StressContext, 'texts' | 'say'> {}

const command = benchCommand(
  'bench:stress',
  'A budget under thousands of requests at once and a killed instance, the ledger under broken streams, hedges, conversations on deployments, and the queue beside a busy key.',
  BENCHES,
)
  .option('--concurrent <n>', 'requests at once, of budget', wholeNumberBetween(100, 12_000), 10_000)
  .option('--requests <n>', 'of broken', wholeNumberBetween(100, 1_000_000), 50_000)
  .option('--hedged <n>', 'requests of each side, of hedging', wholeNumberBetween(500, 1_000_000), 5_000)
  .option('--sessions <n>', 'conversations, of affinity', wholeNumberBetween(4, 10_000), 40)
  .option('--seconds <n>', 'of a round, of fairness', wholeNumberBetween(1, 3_600), 60)
  .parse();

const { json, markdown, only, ...options } = command.opts<Flags>();
await runBenches({
  name: 'bench:stress',
  benches: BENCHES,
  flags: { json, markdown, only },
  context: (say) => ({ ...options, texts: benchTexts(), say }),
  facts: { options },
});
