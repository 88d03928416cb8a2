import { Command } from 'commander';
import { FAULTS, startFakeProvider } from './fake-provider/index.ts';

interface Flags {
  readonly port: string;
  readonly delayMs: string;
  readonly chunkMs: string;
  readonly seed: string;
  readonly words: string;
}

const flags = new Command('fake-provider')
  .description(
    'A server with the APIs of OpenAI, Anthropic and Google and without a model, to try Plimsoll against. ' +
      `A request with the header x-upstream-fault fails; faults: ${FAULTS.join(', ')}.`,
  )
  .option('--port <port>', 'where it listens, on 127.0.0.1', '4010')
  .option('--delay-ms <ms>', 'before each reply', '0')
  .option('--chunk-ms <ms>', 'between two events of a stream', '0')
  .option('--seed <number>', 'another seed, other replies', '1')
  .option('--words <count>', 'length of a reply', '16')
  .parse()
  .opts<Flags>();

const provider = await startFakeProvider({
  port: Number(flags.port),
  delayMs: Number(flags.delayMs),
  chunkMs: Number(flags.chunkMs),
  seed: Number(flags.seed),
  words: Number(flags.words),
});
process.stdout.write(`${provider.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    provider.close().then(() => process.exit(0));
  });
}
