import { wholeNumberBetween } from '../flags.ts';
import { benchTexts } from './fixtures.ts';
import { type BenchFlags, benchCommand, runBenches } from './run-benches.ts';
import type { StateBench, StateBenchContext } from './state/context.ts';
import { dashboard } from './state/dashboard.ts';
import { instances } from './state/instances.ts';
import { threads } from './state/threads.ts';

const BENCHES: Readonly<Record<string, StateBench>> = { instances, threads, dashboard };

interface Flags extends BenchFlags, Omit<StateBenchContext, 'texts' | 'say'> {}

const command = benchCommand(
  'bench:state',
  'Two instances on one PostgreSQL and one Redis while one of them and the database are killed, the time to resolve stored threads, and that of the dashboard.',
  BENCHES,
)
  .option('--requests <n>', 'to the two instances', wholeNumberBetween(400, 1_000_000), 50_000)
  .option('--threads <n>', 'that are stored', wholeNumberBetween(1, 1_000_000), 10_000)
  .option('--turns <n>', 'responses of a thread', wholeNumberBetween(1, 900), 50)
  .option('--reads <n>', 'threads that are resolved in a round', wholeNumberBetween(1, 100_000), 1_000)
  .option('--decisions <n>', 'when the dashboard is looked at', wholeNumberBetween(1, 100_000_000), 1_000_000)
  .parse();

const { json, markdown, only, ...options } = command.opts<Flags>();
await runBenches({
  name: 'bench:state',
  benches: BENCHES,
  flags: { json, markdown, only },
  context: (say) => ({ ...options, texts: benchTexts(), say }),
  facts: { options },
});
