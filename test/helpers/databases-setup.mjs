import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stopServers } from '../../scripts/bench/database-servers.mjs';

/** A folder for the database servers of this run. They are started by the first test that needs one (databases.ts). */
export function setup() {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-db-'));
  process.env.PLIMSOLL_TEST_DATABASES = folder;
  return () => {
    stopServers(folder);
    rmSync(folder, { recursive: true, force: true });
  };
}
