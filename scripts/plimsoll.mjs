/** `npm run plimsoll` and `npm start` in a checkout: the built command, built first if the sources changed. */
import { ensureBuilt } from './build.mjs';

try {
  await ensureBuilt();
} catch (error) {
  process.stderr.write(`plimsoll: dist/ cannot be built from the sources: ${error.message}\n`);
  process.exit(1);
}
await import('../dist/scripts/cli.js');
