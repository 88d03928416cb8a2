import {
  type Condition,
  promisedConfidence,
  readVerdict,
  resolveArtifact,
  type Standing,
  type StoredVerdict,
} from '../artifact/index.ts';
import { STARTER_FOLDER } from '../artifact-views.ts';
import type { Config } from '../config/index.ts';
import type { Router } from '../router.ts';

/** What the gate certified of the policy that decides requests without a profile. */
export interface Certified {
  readonly standing: Standing;
  /** Undefined if there is none, it cannot be read, or the folder holds another artifact by now. */
  readonly verdict: StoredVerdict | undefined;
  /** The verdict's condition on the mean quality lost against always calling the strongest model. */
  readonly loss: Condition | undefined;
}

export function certified(
  router: Router,
  { artifact = STARTER_FOLDER }: Pick<Config, 'artifact'>,
): Certified {
  const verdict = verdictIn(artifact, router.artifact.sha256);
  const loss = verdict?.conditions.find(({ name }) => name === 'quality-loss');
  return { standing: router.standing(), verdict, loss };
}

/** The confidence of a verdict's whole promise; what a suite asks for by default where an earlier version did not write it. */
export function wantedConfidence(verdict: StoredVerdict): number {
  return promisedConfidence(verdict) ?? 0.95;
}

/** @param sha256 of the artifact that the verdict must be of */
export function verdictIn(folderOrStore: string, sha256: string): StoredVerdict | undefined {
  try {
    const verdict = readVerdict(resolveArtifact(folderOrStore));
    return verdict?.artifact.sha256 === sha256 ? verdict : undefined;
  } catch {
    return undefined; // the standing says what is wrong
  }
}
