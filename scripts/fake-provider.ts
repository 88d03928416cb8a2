import { Command } from 'commander';
import { FAULTS, startUpstream } from './fake-provider/index.ts';

interface UpstreamFlags {
  readonly port: string;
  readonly delayMs: string;
  readonly chunkMs: string;
  readonly seed: string;
  readonly words: string;
}

const flags = new Command('upstream')
  .description(
    'A server with the APIs of OpenAI, Anthropic and Google and without a model, to try Plimsoll against. ' +
      `A request with the header x-upstream-fault fails; faults: ${FAULTS.join(', ')}.`,
  )
  .option('--port <port>', 'where it listens, on 127.0.0.1', '4010')
  .option('--delay-ms <ms>', 'before each answer', '0')
  .option('--chunk-ms <ms>', 'between two events of a stream', '0')
  .option('--seed <number>', 'another seed, other answers', '1')
  .option('--words <count>', 'length of an answer', '16')
  .parse()
  .opts<UpstreamFlags>();

const upstream = await startUpstream({
  port: Number(flags.port),
  delayMs: Number(flags.delayMs),
  chunkMs: Number(flags.chunkMs),
  seed: Number(flags.seed),
  words: Number(flags.words),
});
process.stdout.write(`${upstream.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    upstream.close().then(() => process.exit(0));
  });
}
