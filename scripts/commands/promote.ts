import { Command } from 'commander';
import { placeInStore, promote } from '../../evals/lifecycle/index.ts';
import { print, printJson } from '../terminal.ts';

export function promoteCommand(): Command {
  return new Command('promote')
    .requiredOption('--artifact <folder>', 'an artifact in a store, such as models/mine')
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', '\nA server whose configuration says `artifact: models` takes it over by itself.\n')
    .action(run);
}

interface Flags {
  readonly artifact: string;
  readonly json: boolean;
}

function run({ artifact, json }: Flags): void {
  const { at, sha256 } = promote(artifact);
  const { store, name } = placeInStore(artifact);
  if (json) printJson({ store, artifact: name, sha256, at });
  else print(`${store} serves ${name} (${sha256.slice(0, 12)}) since ${at}\n`);
}
