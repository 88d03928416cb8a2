import { Command } from 'commander';
import { PlimsollError } from '../router/errors.ts';
import { FAULTS, startFakeProvider } from './fake-provider/index.ts';
import { numberBetween, wholeNumberBetween } from './flags.ts';

interface Flags {
  readonly port: number;
  readonly delayMs: number;
  readonly chunkMs: number;
  readonly seed: number;
  readonly words: number;
}

/** A day. */
const MAX_MS = 86_400_000;

const flags = new Command('fake-provider')
  .description(
    'A server with the APIs of OpenAI, Anthropic and Google and without a model, to try Plimsoll against. ' +
      `A request with the header x-upstream-fault fails; faults: ${FAULTS.join(', ')}.`,
  )
  .option('--port <port>', 'where it listens, on 127.0.0.1', wholeNumberBetween(0, 65_535), 4010)
  .option('--delay-ms <ms>', 'before each reply', numberBetween(0, MAX_MS), 0)
  .option('--chunk-ms <ms>', 'between two events of a stream', numberBetween(0, MAX_MS), 0)
  .option('--seed <number>', 'another seed, other replies', wholeNumberBetween(0, 2 ** 32 - 1), 1)
  .option('--words <count>', 'length of a reply', wholeNumberBetween(1, 1_000_000), 16)
  .parse()
  .opts<Flags>();

try {
  await run(flags);
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`fake-provider: ${error.message}\n`);
  process.exitCode = 1;
}

async function run(options: Flags): Promise<void> {
  const provider = await startFakeProvider(options);
  process.stdout.write(`${provider.url}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      provider.close().then(() => process.exit(0));
    });
  }
}
