import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Verdict, VerdictContent } from '../../router/artifact/index.ts';
import { caseOf, lookAt } from '../gate/look-world.ts';
import { LOOK, layVerdict } from './verdicts.ts';

let questions = 0;

/** Lays a verdict of the artifact in `folder` beside it, with a look of its own in the store's record: one that may be promoted. */
export function layRecordedVerdict(folder: string, changes: Partial<VerdictContent> = {}): Verdict {
  rmSync(path.join(folder, 'verdict.json'), { force: true }); // a copy's: it rests on a look of another store
  const { record } = lookAt(folder, [caseOf(questions++)]);
  return layVerdict(folder, { looks: { ...LOOK, record, head: record }, ...changes });
}
