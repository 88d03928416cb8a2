import { Command } from 'commander';
import { rollback } from '../../router/artifact/index.ts';
import { print } from '../output.ts';
import { uninterrupted } from '../uninterrupted.ts';

export function rollbackCommand(): Command {
  return new Command('rollback')
    .description('Make the artifact that served before the current one serve again')
    .option('--store <folder>', 'the folder of artifacts', 'models')
    .action(run);
}

function run({ store }: { readonly store: string }): void {
  const { artifact, at, sha256 } = uninterrupted(() => rollback(store, new Date()));
  print(`${store} serves ${artifact} (${sha256.slice(0, 12)}) since ${at}\n`);
}
