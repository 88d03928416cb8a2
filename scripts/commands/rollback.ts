import { Command } from 'commander';
import { rollback } from '../../evals/lifecycle/index.ts';
import { print } from '../terminal.ts';

export function rollbackCommand(): Command {
  return new Command('rollback').option('--store <folder>', 'the folder of artifacts', 'models').action(run);
}

function run({ store }: { readonly store: string }): void {
  const { artifact, at, sha256 } = rollback(store);
  print(`${store} serves ${artifact} (${sha256.slice(0, 12)}) since ${at}\n`);
}
