import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { type Look, lookSchema, type Verdict, writeVerdict } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { replaceFile, withLock } from '../../router/files/index.ts';

/** Next to the artifacts, so that it outlives each of them: an artifact that is replaced takes its verdict with it. */
const LOOKS_FILE = 'looks.jsonl';

const recordSchema = lookSchema.extend({ sealed_sha256: z.string() });
type LookRecord = z.infer<typeof recordSchema>;

/**
 * Earlier looks at the same held-out cases with another artifact. The first look keeps its confidence; whoever tries thresholds until one
 * passes has set them on the test. The same artifact again gives the same verdict and is no new look.
 * @throws PlimsollError `invalid-artifact` if the record cannot be read
 */
export function earlierLooks(artifactFolder: string, heldOutSha256: string, artifactSha256: string): Look[] {
  return readRecords(looksFile(artifactFolder)).flatMap(({ sealed_sha256: heldOut, ...look }) =>
    heldOut === heldOutSha256 && look.artifact_sha256 !== artifactSha256 ? [look] : [],
  );
}

/** Writes the verdict to the artifact; the look first, because a verdict whose look is on no record must not exist. @throws PlimsollError `io` */
export function recordVerdict(artifactFolder: string, verdict: Verdict): void {
  recordLook(artifactFolder, verdict);
  writeVerdict(artifactFolder, verdict);
}

/** Writes the look down, unless one of the same artifact, cases and suite with the same verdict is recorded already. @throws PlimsollError `io` */
export function recordLook(artifactFolder: string, verdict: Verdict): void {
  const file = looksFile(artifactFolder);
  const record: LookRecord = {
    artifact: verdict.artifact.name,
    artifact_sha256: verdict.artifact.sha256,
    threshold: verdict.policy.threshold,
    suite: verdict.suite.name,
    issued: verdict.issued,
    verdict: verdict.verdict,
    sealed_sha256: verdict.sealed.sha256,
  };
  const identity = ({ artifact_sha256, suite, verdict: word, sealed_sha256 }: LookRecord) =>
    [artifact_sha256, suite, word, sealed_sha256].join();
  withLock(file, () => {
    const records = readRecords(file);
    if (records.some((known) => identity(known) === identity(record))) return;
    const lines = [...records, record].map((one) => `${JSON.stringify(one)}\n`);
    replaceFile(file, lines.join(''), { what: 'the record of looks at the sealed cases' });
  });
}

function readRecords(file: string): LookRecord[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [parseRecord(line, file, index + 1)]));
}

function looksFile(artifactFolder: string): string {
  return path.join(path.dirname(path.resolve(artifactFolder)), LOOKS_FILE);
}

function parseRecord(line: string, file: string, number: number): LookRecord {
  try {
    return recordSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new PlimsollError(
      'invalid-artifact',
      `${file}, line ${number}: this is no record of a look at sealed cases. Restore the file; without it nobody knows how often they were looked at.`,
      { place: { file, line: number }, cause },
    );
  }
}
