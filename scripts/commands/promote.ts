import { Command } from 'commander';
import { placeInStore, promote } from '../../evals/lifecycle/index.ts';
import { print } from '../terminal.ts';

export function promoteCommand(): Command {
  return new Command('promote')
    .requiredOption('--artifact <folder>', 'an artifact in a store, such as models/mine')
    .addHelpText('after', '\nA server whose configuration says `artifact: models` takes it over by itself.\n')
    .action(run);
}

function run({ artifact }: { readonly artifact: string }): void {
  const { at, sha256 } = promote(artifact);
  const { store, name } = placeInStore(artifact);
  print(`${store} serves ${name} (${sha256.slice(0, 12)}) since ${at}\n`);
}
