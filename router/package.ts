import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** The package finds itself by name, which works in a checkout and from dist/ alike. */
export const PACKAGE_FOLDER = path.dirname(createRequire(import.meta.url).resolve('plimsoll/package.json'));

const { version } = JSON.parse(readFileSync(path.join(PACKAGE_FOLDER, 'package.json'), 'utf8')) as {
  version: string;
};

export const VERSION = version;

/** How `plimsoll` is called where this package is, for commands that are printed: in a checkout, or in a project that has installed it. */
export const COMMAND = /[\\/]node_modules[\\/]/.test(PACKAGE_FOLDER)
  ? 'npx plimsoll'
  : 'npm run -s plimsoll --';
