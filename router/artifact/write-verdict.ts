import path from 'node:path';
import { replaceFile } from '../files/index.ts';
import { VERDICT_FILE } from './read-verdict.ts';
import type { Verdict } from './verdict.ts';

/**
 * Puts the verdict into the artifact's folder, in the place of an older one: whole or not at all.
 * @throws PlimsollError `io` where the folder cannot be written.
 */
export function writeVerdict(folder: string, verdict: Verdict): void {
  replaceFile(path.join(folder, VERDICT_FILE), `${JSON.stringify(verdict, null, 2)}\n`, {
    what: 'the verdict',
  });
}
