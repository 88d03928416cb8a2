import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { numberBetween, wholeNumberBetween } from '../flags.ts';
import { print } from '../terminal.ts';
import { type KilledOutcome, killedLabelling } from './killed-labelling.ts';

interface Flags {
  readonly calls: number;
  readonly faults: number;
  readonly kills: number;
  readonly concurrency: number;
  readonly seed: number;
  readonly workers: number;
  readonly redis?: string;
}

const flags = new Command('bench:killed-labels')
  .description(
    'Labels that are bought by runs which are killed at random: what is paid for twice, and what the budget is worth.',
  )
  .option('--calls <n>', 'of two models together', wholeNumberBetween(100, 1e6), 20_000)
  .option('--faults <share>', 'of calls that fail', numberBetween(0, 0.5), 0.1)
  .option('--kills <n>', 'at random moments', wholeNumberBetween(2, 1_000), 20)
  .option('--concurrency <n>', 'calls at work at once', wholeNumberBetween(1, 1_000), 8)
  .option('--workers <n>', 'that share the calls through Redis', wholeNumberBetween(0, 100), 0)
  .option('--redis <url>', 'its address, for --workers')
  .option('--seed <n>', 'of faults and moments', wholeNumberBetween(0, 2 ** 31 - 1), 7)
  .parse()
  .opts<Flags>();

const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-killed-'));
try {
  const { calls, faults: faultShare, kills, concurrency, seed, workers, redis: redisUrl } = flags;
  const shared = redisUrl === undefined ? undefined : { workers, redisUrl };
  const plan = { rows: Math.floor(calls / 2), faultShare, kills, concurrency, folder, seed, shared };
  const outcome = await killedLabelling(plan);
  print(table(outcome));
  if (!outcome.same || outcome.journal.replies !== outcome.journal.keys) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function table(outcome: KilledOutcome): string {
  const { kills, complete, pairs, twice, journal, billedUsd, spentUsd, lostUsd, atBudget, same } = outcome;
  const usd = (value: number) => `$${value.toFixed(6)}`;
  const rows = [
    ['kills', kills],
    ['cases with both labels', complete],
    ['(case, model) pairs, replies in the journal', `${pairs}, ${journal.replies}`],
    ['billed twice: at work at a kill', twice],
    [
      'budget of the first half, counted as spent, billed',
      [atBudget.budgetUsd, atBudget.spentUsd, atBudget.billedUsd].map(usd).join(', '),
    ],
    [
      'in the end counted as spent, of it lost at kills, billed',
      [spentUsd, lostUsd, billedUsd].map(usd).join(', '),
    ],
    ['cases as without a kill', same ? 'yes' : 'NO'],
    ['seconds', outcome.seconds.toFixed(0)],
  ];
  return `| | |\n| --- | ---: |\n${rows.map(([name, value]) => `| ${name} | ${value} |\n`).join('')}`;
}
