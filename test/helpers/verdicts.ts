import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  type ArtifactFiles,
  type Condition,
  type Manifest,
  readArtifact,
  type StoredVerdict,
  sealedVerdict,
  sha256OfJson,
  type Verdict,
  type VerdictContent,
  writeVerdict,
} from '../../router/artifact/index.ts';

export const DAY_MS = 86_400_000;
const NO_HASH = '0'.repeat(64);

/** The mean loss is bounded below its limit. */
export const PASSED: Condition = {
  name: 'quality-loss',
  verdict: 'PASS',
  value: 0.004,
  bounds: { lower: -0.002, upper: 0.015 },
  limits: { max: 0.02 },
  confidence: 0.95,
  method: 'betting',
  n: 900,
  proof: 'walk',
};

export const LOOK: VerdictContent['looks'] = {
  number: 1,
  delta: 0.03,
  confidence: 0.95,
  record: NO_HASH,
  head: NO_HASH,
  earlier: [],
};

/** A verdict that the gate could have written of the artifact: PASS, issued now, but for the changes. Sealed. */
export function verdictOf(
  { manifest, sha256 }: Pick<ArtifactFiles, 'manifest' | 'sha256'>,
  changes: Partial<VerdictContent> = {},
): Verdict {
  const { name, version, threshold } = manifest.policy;
  return sealedVerdict({
    schema_version: 2,
    verdict: 'PASS',
    issued: new Date().toISOString(),
    valid_for_days: 90,
    artifact: { name: manifest.name, sha256 },
    policy: { name, version, threshold },
    suite: { name: 'made-up-suite', sha256: NO_HASH },
    walk: { from: -1, to: 0.999, steps: 120, stopped_by: 'quality-loss' },
    sealed: {
      n: 900,
      labelled: 900,
      sha256: NO_HASH,
      sampling: 'requests',
      units: 900,
      batches: [900],
      unknown_losses: 0,
      excluded: { duplicates: 0, rejected: 0, seen: 0, seen_group: 0 },
      files: [],
    },
    looks: LOOK,
    conditions: [PASSED],
    evidence: {},
    tools: { node: process.version },
    ...changes,
  });
}

/** Lays a verdict of the artifact in `folder` beside it. */
export function layVerdict(folder: string, changes: Partial<VerdictContent> = {}): Verdict {
  const verdict = verdictOf(readArtifact(folder), changes);
  writeVerdict(folder, verdict);
  return verdict;
}

/** As verdicts were before the gate chose the threshold. */
export type EarlierVerdict = Extract<StoredVerdict, { schema_version: 1 }>;

/** A PASS as an earlier version wrote it: of the threshold in the manifest, but for the changes. Bound to itself by its hash. */
export function earlierVerdictOf(
  artifact: Pick<ArtifactFiles, 'manifest' | 'sha256'>,
  changes: Partial<Omit<EarlierVerdict, 'sha256'>> = {},
): EarlierVerdict {
  const { sha256: _, walk: _walk, looks: _looks, ...shared } = verdictOf(artifact);
  const { proof: _proof, ...condition } = PASSED;
  const content = {
    ...shared,
    schema_version: 1 as const,
    sealed: {
      n: 900,
      sha256: NO_HASH,
      excluded: { missing_outcome: 0, duplicates: 0, rejected: 0 },
      files: [],
      earlier_looks: [],
    },
    conditions: [condition],
    ...changes,
  };
  return { ...content, sha256: sha256OfJson(content) };
}

/** Lays a verdict of an earlier version beside the artifact in `folder`. */
export function layEarlierVerdict(
  folder: string,
  changes: Partial<Omit<EarlierVerdict, 'sha256'>> = {},
): EarlierVerdict {
  const verdict = earlierVerdictOf(readArtifact(folder), changes);
  writeFileSync(path.join(folder, 'verdict.json'), JSON.stringify(verdict));
  return verdict;
}

/**
 * An artifact like the one in `from`, with another name and so another hash. Its verdict, if any, is of the other one.
 * @param learnedFrom the models that its ladder says it learned from, in place of its own
 */
export function copyAs(from: string, to: string, learnedFrom?: readonly string[]): string {
  cpSync(from, to, { recursive: true });
  const file = path.join(to, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  const ladder = manifest.ladder.map((rung, i) => ({ ...rung, model: learnedFrom?.[i] ?? rung.model }));
  writeFileSync(file, `${JSON.stringify({ ...manifest, name: path.basename(to), ladder }, null, 2)}\n`);
  return to;
}
