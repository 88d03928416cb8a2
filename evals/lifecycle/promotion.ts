import path from 'node:path';
import {
  type ArtifactFiles,
  type Promotion,
  promote as promoteInStore,
  readCurrent,
  readVerdict,
  rollback as rollBackStore,
} from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { uninterrupted } from '../../router/files/index.ts';
import { COMMAND } from '../../router/package.ts';
import { shellWord } from '../../router/shell-word.ts';
import { assertRecordWhole } from '../gate/index.ts';

/**
 * Makes an artifact, such as `models/mine`, the one that its store `models` serves.
 * @param check called while no other command can change what serves; throws to refuse
 * @throws PlimsollError `ungated` if it has no valid PASS, or one of a look that was never put on record; `invalid-artifact` if the store's
 *   record lacks a look that a verdict in it rests on, as that of an artifact that was gated elsewhere
 */
export function promote(artifact: string, at = new Date(), check = () => {}): Promotion {
  const { store, name } = placeInStore(artifact);
  return uninterrupted(() =>
    promoteInStore(store, name, at, () => {
      check();
      assertOnRecord(artifact, store);
    }),
  );
}

/** A PASS counts for as many looks as the store has on record: one that was gated elsewhere may be the best of many. */
function assertOnRecord(artifact: string, store: string): void {
  assertRecordWhole(store);
  const verdict = readVerdict(artifact);
  if (verdict?.schema_version !== 2 || verdict.looks.record !== null) return;
  throw new PlimsollError(
    'ungated',
    `The verdict of ${artifact} is of a look that was not put on record. Gate it again in its store: \`${COMMAND} gate --artifact ${shellWord(artifact)} --suite <suite>\`.`,
    { place: { file: artifact } },
  );
}

/**
 * Makes the artifact that served before the current one serve again.
 * @param check called while no other command can change what serves; throws to refuse
 * @throws PlimsollError `not-found` if there is none; `ungated` and `invalid-artifact` as `promote`: a record that was cut since makes a PASS worth as little
 */
export function rollback(store: string, at = new Date(), check = () => {}): Promotion {
  return uninterrupted(() =>
    rollBackStore(store, at, (folder) => {
      check();
      assertOnRecord(folder, store);
    }),
  );
}

/** Makes the challenger the one that its store serves. @throws PlimsollError as `promote`, and if another came to serve meanwhile */
export function promoteChallenger(out: string, champion: ArtifactFiles, at = new Date()): Promotion {
  return promote(out, at, () => assertDisplaces(out, champion));
}

/**
 * The store of `out` must serve the champion, or the challenger itself if a run is repeated.
 * @throws PlimsollError `invalid-input` if another artifact would be displaced without a comparison
 */
export function assertDisplaces(out: string, champion: ArtifactFiles): void {
  const { store, name } = placeInStore(out);
  const current = readCurrent(store);
  if (current === undefined || current.artifact === name) return;
  if (current.history.at(-1)?.sha256 === champion.sha256) return;
  throw new PlimsollError(
    'invalid-input',
    `${store} serves ${current.artifact}, and the champion is ${champion.folder}: --promote would displace what was not compared with. Name --champion ${shellWord(path.join(store, current.artifact))}, or leave --promote out.`,
    { place: { file: store } },
  );
}

/** The store that an artifact is in, and its name there. */
export function placeInStore(artifact: string): { readonly store: string; readonly name: string } {
  const { dir, base } = path.parse(path.normalize(artifact));
  return { store: dir === '' ? '.' : dir, name: base };
}
