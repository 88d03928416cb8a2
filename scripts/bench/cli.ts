import { benchTexts, minilmArtifact, staticArtifact } from './fixtures.ts';
import type { Bench, BenchContext } from './measurement.ts';
import { decisionMinilm, decisionNeighbours, decisionStatic } from './rows/decisions.ts';
import { gate } from './rows/gate.ts';
import { hostile } from './rows/hostile.ts';
import { eventLoop, httpSaturation } from './rows/load.ts';
import { planMillion } from './rows/plan.ts';
import { startup, startupState } from './rows/startup.ts';
import { train } from './rows/train.ts';
import { type BenchFlags, benchCommand, runBenches } from './run-benches.ts';

const BENCHES: Readonly<Record<string, Bench>> = {
  startup,
  'startup-state': startupState,
  'decision-static': decisionStatic,
  'decision-neighbours': decisionNeighbours,
  'decision-minilm': decisionMinilm,
  'event-loop': eventLoop,
  'http-saturation': httpSaturation,
  train,
  gate,
  plan: planMillion,
  hostile,
};

interface Flags extends BenchFlags {
  readonly artifact?: string;
}

const command = benchCommand(
  'bench',
  'Measures what Plimsoll promises about speed, each figure beside its floor or peer.',
  BENCHES,
)
  .option('--artifact <folder>', 'an artifact with the static encoder (default: models/starter, else made)')
  .parse();

const { artifact, ...flags } = command.opts<Flags>();
await runBenches({ name: 'bench', benches: BENCHES, flags, context: (say) => contextOf(artifact, say) });

async function contextOf(asked: string | undefined, say: BenchContext['say']): Promise<BenchContext> {
  const texts = benchTexts();
  const artifact = await staticArtifact(asked, texts);
  let minilm: Promise<string> | undefined;
  return {
    artifact,
    texts,
    say,
    minilmArtifact() {
      minilm ??= minilmArtifact(texts);
      return minilm;
    },
  };
}
