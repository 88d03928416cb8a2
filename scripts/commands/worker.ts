import { once } from 'node:events';
import { Command } from 'commander';
import { openLabelWorker } from '../../evals/labelling/index.ts';
import { loadConfig } from '../../router/config/index.ts';
import { wholeNumberBetween } from '../flags.ts';
import { printJson, printNotes, startProgress } from '../terminal.ts';

interface Flags {
  readonly config?: string;
  readonly concurrency: number;
  readonly json: boolean;
}

export function workerCommand(): Command {
  return new Command('worker')
    .option('--config <file>', 'with redis, and the providers (default: plimsoll.config.yaml)')
    .option('--concurrency <count>', 'calls at work at once', wholeNumberBetween(1, 1_000), 8)
    .option('--json', 'print what it did as JSON when it ends', false)
    .addHelpText(
      'after',
      `
Makes the calls of every \`plimsoll label\` and \`plimsoll loop\` that has the same Redis, until SIGINT or SIGTERM: then it waits for its calls at
work. It needs the providers and their keys, and no prompts, budget or journal. Start as many as you like.

Example:
  plimsoll worker --config plimsoll.config.yaml
`,
    )
    .action(run);
}

async function run({ config: file, concurrency, json }: Flags): Promise<void> {
  const config = loadConfig(file);
  const counts = { reply: 0, failed: 0, interrupted: 0 };
  const progress = startProgress('calls');
  const worker = await openLabelWorker({
    config: { ...config, logLevel: config.logLevel === 'info' ? 'error' : config.logLevel },
    concurrency,
    onCall: (ended) => {
      counts[ended]++;
      progress.update(counts.reply + counts.failed, undefined, `, ${counts.failed} failed`);
    },
  });
  printNotes([`Waiting for calls, ${concurrency} at once.`]);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  printNotes(['Ending: calls at work are waited for.']);
  await worker.close();
  progress.end();
  if (json) printJson({ replies: counts.reply, failed: counts.failed, interrupted: counts.interrupted });
  else printNotes([`${counts.reply} replies, ${counts.failed} calls failed.`]);
}
