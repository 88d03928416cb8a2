import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { numberBetween, wholeNumberBetween } from '../flags.ts';
import { print } from '../terminal.ts';
import { killedBatch } from './killed-batch.ts';

interface Flags {
  readonly lines: number;
  readonly kills: number;
  readonly concurrency: number;
  readonly delayMs: number;
}

const plan = new Command('bench:batches')
  .description(
    'A batch whose server is killed: whether each line is answered once, and whether the report is the ledger.',
  )
  .option('--lines <n>', 'of the batch', wholeNumberBetween(100, 50_000), 50_000)
  .option('--kills <n>', 'SIGKILL, evenly over the batch', wholeNumberBetween(0, 100), 2)
  .option('--concurrency <n>', 'lines at work at once', wholeNumberBetween(1, 1_000), 64)
  .option('--delay-ms <ms>', 'that the provider takes for a reply', numberBetween(0, 900), 0)
  .parse()
  .opts<Flags>();

const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-batch-'));
try {
  const outcome = await killedBatch({ ...plan, folder });
  const { output, asked, askedAgain, ledger, reportNanoUsd, reportRequests, seconds } = outcome;
  const rows = [
    ['status, kills', `${outcome.status}, ${outcome.kills}`],
    ['lines in the output file, with a custom_id of their own', `${output.lines}, ${output.distinct}`],
    ['requests at the provider, of them for a line once more', `${asked}, ${askedAgain}`],
    ['report, ledger (billionths of a US dollar)', `${reportNanoUsd}, ${ledger.nanoUsd}`],
    ['requests in the report, in the ledger', `${reportRequests}, ${ledger.requests}`],
    ['upload, batch (seconds)', `${outcome.uploadSeconds.toFixed(1)}, ${seconds.toFixed(1)}`],
    ['lines a second, restarts included', (plan.lines / seconds).toFixed(0)],
  ];
  print(rows.map(([what, value]) => `${what}: ${value}`).join('\n'));
  const isRight =
    output.lines === plan.lines && output.distinct === plan.lines && reportNanoUsd === BigInt(ledger.nanoUsd);
  if (!isRight) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
