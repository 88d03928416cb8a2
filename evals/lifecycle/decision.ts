import path from 'node:path';
import {
  type ArtifactFiles,
  conditionWords,
  type Promotion,
  promote,
  readCurrent,
  type VerdictWord,
  worstOf,
} from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { uninterrupted } from '../../scripts/uninterrupted.ts';
import type { Retrained } from './retrain.ts';

/** Whether the challenger may take the champion's place: PASS where it may. */
export interface Decision {
  /** The worst of the gate's verdict and of the comparison. */
  readonly word: VerdictWord;
  /** What stands in the way, each with value, bounds and limit. Empty for PASS. */
  readonly reasons: readonly string[];
}

/** It may where the gate says PASS and the comparison says better or not worse. */
export function decisionOf({ verdict, comparison }: Pick<Retrained, 'verdict' | 'comparison'>): Decision {
  const drop = comparison.measured.quality_drop;
  const unmet = [...verdict.conditions, drop].filter((condition) => condition.verdict !== 'PASS');
  return { word: worstOf([verdict.verdict, drop.verdict]), reasons: unmet.map(conditionWords) };
}

/** The store that an artifact lies in, and its name there. */
export function placeInStore(artifact: string): { readonly store: string; readonly name: string } {
  const { dir, base } = path.parse(path.normalize(artifact));
  return { store: dir === '' ? '.' : dir, name: base };
}

/**
 * Whoever serves from the store of `out` must be who is compared with, or the challenger itself where a run is repeated.
 * @throws PlimsollError `invalid-input` where another artifact would be displaced without a comparison
 */
export function assertDisplaces(out: string, champion: ArtifactFiles): void {
  const { store, name } = placeInStore(out);
  const current = readCurrent(store);
  if (current === undefined || current.artifact === name) return;
  if (current.history.at(-1)!.sha256 === champion.sha256) return;
  throw new PlimsollError(
    'invalid-input',
    `${store} serves ${current.artifact}, and the champion is ${champion.folder}: --promote would displace what was not compared with. Name --champion ${path.join(store, current.artifact)}, or leave --promote out.`,
    { place: { file: store } },
  );
}

/** Makes the challenger the one that its store serves. @throws PlimsollError as `promote`, and where another came to serve meanwhile */
export function promoteChallenger(out: string, champion: ArtifactFiles, at: Date): Promotion {
  const { store, name } = placeInStore(out);
  return uninterrupted(() => promote(store, name, at, () => assertDisplaces(out, champion)));
}
