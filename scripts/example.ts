import { Command } from 'commander';
import { PlimsollError } from '../router/errors.ts';
import { exampleRequests } from './example/requests.ts';
import { startWorld, writeProject } from './example/world.ts';
import { wholeNumberBetween } from './flags.ts';
import { startProgress } from './terminal.ts';

/** Requests that the example's product sends; captured and labelled, 60 % of them teach and 40 % are sealed. */
const REQUESTS = 3_000;
const SEED = 1;
/** Requests at work at once. */
const CONCURRENCY = 16;

interface Flags {
  readonly folder: string;
  readonly requests: number;
  readonly port: number;
  readonly gatewayPort: number;
}

const program = new Command('example')
  .description('A made-up product with two made-up models, to try the whole way: docs/FIRST-SAVING.md.')
  .option('--folder <folder>', 'where the configuration is written', 'first-saving')
  .option('--requests <count>', 'that the product sends', wholeNumberBetween(100, 100_000), REQUESTS)
  .option('--port <port>', 'of the models; the grader has the next one', wholeNumberBetween(0, 65_534), 4020)
  .option('--gateway-port <port>', 'where plimsoll serve will listen', wholeNumberBetween(1, 65_535), 8787);

program
  .command('start', { isDefault: true })
  .description('Write the configuration, and serve the models and the grader until Ctrl-C.')
  .action(() => start(program.opts<Flags>()));

program
  .command('traffic')
  .description(
    'Send the requests of the product to Plimsoll, and say what they cost and how many replies were right.',
  )
  .option('--later', 'as many further ones, which nobody has labelled', false)
  .action(({ later }: { later: boolean }) => traffic(program.opts<Flags>(), later));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`example: ${error.message}\n`);
  process.exitCode = 1;
}

async function start({ folder, requests, port, gatewayPort }: Flags): Promise<void> {
  const world = await startWorld({ requests: 2 * requests, seed: SEED, port });
  writeProject(folder, world, gatewayPort);
  process.stdout.write(
    `Wrote ${folder}. The models are at ${world.providerUrl}, the grader at ${world.graderUrl}.\n`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      world.close().then(() => process.exit(0));
    });
  }
}

async function traffic({ requests: count, gatewayPort }: Flags, later: boolean): Promise<void> {
  const requests = exampleRequests(2 * count, SEED).slice(...(later ? [count] : [0, count]));
  const progress = startProgress('Sending requests');
  const sum = { right: 0, small: 0, usd: 0, done: 0 };
  const queue = requests[Symbol.iterator]();
  const work = async () => {
    for (const { prompt, answer } of queue) {
      const { reply, served, usd } = await askGateway(gatewayPort, prompt);
      sum.right += Number(reply === answer);
      sum.small += Number(served === 'example/small');
      sum.usd += usd;
      progress.update(++sum.done, count);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  progress.end();
  const share = (n: number) => (n / count).toFixed(3);
  process.stdout.write(
    `${count} requests: ${share(sum.right)} right, ${share(sum.small)} by the small model, $${sum.usd.toFixed(4)}.\n`,
  );
}

async function askGateway(port: number, prompt: string) {
  const url = `http://127.0.0.1:${port}/v1/chat/completions`;
  const body = JSON.stringify({
    model: 'auto',
    max_tokens: 200,
    messages: [{ role: 'user', content: prompt }],
  });
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  }).catch(() => {
    throw new PlimsollError(
      'io',
      `Nothing listens at ${url}: start plimsoll serve first, or name its port with --gateway-port.`,
    );
  });
  const json = (await response.json()) as { choices?: { message: { content: string } }[] };
  if (!response.ok) throw new PlimsollError('io', `The gateway replied with status ${response.status}.`);
  return {
    reply: json.choices?.[0]?.message.content,
    served: response.headers.get('x-plimsoll-served'),
    usd: Number(response.headers.get('x-plimsoll-cost-usd') ?? 0),
  };
}
