import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stopServers } from '../../scripts/bench/database-servers.mjs';

/**
 * A folder for what all workers of this run share: the database servers, started by the first test that needs one (databases.ts), and what
 * takes long to make (made-once.ts).
 */
export function setup() {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-run-'));
  process.env.PLIMSOLL_TEST_RUN = folder;
  return () => {
    stopServers(folder);
    rmSync(folder, { recursive: true, force: true });
  };
}
