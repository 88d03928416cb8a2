import { createRequire } from 'node:module';

/** The package finds itself by name, which works in a checkout and from dist/ alike. */
const { version } = createRequire(import.meta.url)('plimsoll/package.json') as { version: string };

export const VERSION = version;
