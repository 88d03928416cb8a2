import { Command } from 'commander';
import { rollback } from '../../evals/lifecycle/index.ts';
import { print, printJson } from '../terminal.ts';

export function rollbackCommand(): Command {
  return new Command('rollback')
    .option('--store <folder>', 'the folder of artifacts', 'models')
    .option('--json', 'print the result as JSON', false)
    .action(run);
}

interface Flags {
  readonly store: string;
  readonly json: boolean;
}

function run({ store, json }: Flags): void {
  const { artifact, at, sha256 } = rollback(store);
  if (json) printJson({ store, artifact, sha256, at });
  else print(`${store} serves ${artifact} (${sha256.slice(0, 12)}) since ${at}\n`);
}
