import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

let own: string | undefined;

/** What all workers of a run share (run-folder-setup.mjs); without the global setup a folder of this process. */
export function runFolder(): string {
  const shared = process.env['PLIMSOLL_TEST_RUN'];
  if (shared !== undefined) return shared;
  if (own === undefined) {
    const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-run-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    own = folder;
  }
  return own;
}
