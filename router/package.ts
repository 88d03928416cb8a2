import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** The package finds itself by name, which works in a checkout and from dist/ alike. */
export const PACKAGE_FOLDER = path.dirname(createRequire(import.meta.url).resolve('plimsoll/package.json'));

const { version } = JSON.parse(readFileSync(path.join(PACKAGE_FOLDER, 'package.json'), 'utf8')) as {
  version: string;
};

export const VERSION = version;
