import path from 'node:path';
import { Command } from 'commander';
import { promote } from '../../router/artifact/index.ts';
import { print } from '../output.ts';
import { uninterrupted } from '../uninterrupted.ts';

export function promoteCommand(): Command {
  return new Command('promote')
    .description('Make an artifact with a valid PASS the one that its store serves')
    .requiredOption('--artifact <folder>', 'an artifact in a store, such as models/mine')
    .addHelpText('after', '\nA server whose configuration says `artifact: models` takes it over by itself.\n')
    .action(run);
}

function run({ artifact }: { readonly artifact: string }): void {
  const { dir, base: name } = path.parse(path.normalize(artifact));
  const store = dir === '' ? '.' : dir;
  const { at, sha256 } = uninterrupted(() => promote(store, name, new Date()));
  print(`${store} serves ${name} (${sha256.slice(0, 12)}) since ${at}\n`);
}
