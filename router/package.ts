import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { shellWord } from './shell-word.ts';

/** The package finds itself by name, which works in a checkout and from dist/ alike. */
export const PACKAGE_FOLDER = path.dirname(createRequire(import.meta.url).resolve('plimsoll/package.json'));

const { version } = JSON.parse(readFileSync(path.join(PACKAGE_FOLDER, 'package.json'), 'utf8')) as {
  version: string;
};

export const VERSION = version;

/**
 * How `plimsoll` is called where this process runs, for commands that are printed: by its name where a shell finds it (a global installation,
 * the container image), by npm in a checkout, by npx inside a project that has installed it, and by its path from anywhere else.
 */
export const COMMAND = commandFrom(PACKAGE_FOLDER, process.cwd(), process.env['PATH'] ?? '');

/** @param searchPath folders as in PATH */
export function commandFrom(packageFolder: string, workingFolder: string, searchPath: string): string {
  if (isFound(packageFolder, searchPath)) return 'plimsoll';
  const modules = packageFolder.lastIndexOf(`${path.sep}node_modules${path.sep}`);
  if (modules === -1) return 'npm run -s plimsoll --';
  const project = packageFolder.slice(0, modules);
  if (workingFolder === project || workingFolder.startsWith(project + path.sep)) return 'npx plimsoll';
  return shellWord(path.join(project, 'node_modules', '.bin', 'plimsoll'));
}

/** npm and npx put folders of their own on the PATH, which the shell that a command is pasted into does not have. */
function isFound(packageFolder: string, searchPath: string): boolean {
  const ofNpm = path.join('node_modules', '.bin');
  const folders = searchPath.split(path.delimiter).filter((one) => one !== '' && !one.endsWith(ofNpm));
  const found = folders.map((one) => path.join(one, 'plimsoll')).find((file) => existsSync(file));
  return found !== undefined && realpathSync(found).startsWith(packageFolder + path.sep);
}
