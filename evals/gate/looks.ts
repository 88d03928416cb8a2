import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { MANIFEST_FILE, type VerdictWord } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { withLock } from '../../router/files/index.ts';
import { isObject, parseJson } from '../../router/json/index.ts';
import { type CaseFingerprints, contentsOf, questionsOf } from './case-fingerprints.ts';
import { batchLine } from './look-lines.ts';
import { type LookPlan, type LookRequest, planOf } from './look-plan.ts';
import { appendLine, type LookRecord, readLookRecord } from './look-record.ts';

/** Next to the artifacts, so that it outlives each of them: an artifact that is replaced takes its verdict with it. */
const LOOKS_FILE = 'looks.jsonl';
const VERDICT_FILE = 'verdict.json';

/** Where the record is: beside the artifact of a folder, or a file of its own. */
type RecordPlace = string | { readonly file: string };

/** A look on record. */
export type BegunLook = LookPlan & { readonly record: string };

/**
 * What a look would be, by its record; nothing is written.
 *
 * It is the same look again if artifact, policy, suite and confidence are the same and every case of the look is still there, unchanged.
 * Cases that no look has seen yet become its next batch. Anything else that touches a question that was looked at is the next look, with
 * number 1 + the looks that have a question in common with it. So the j-th look at a question has a number of at least j, and together
 * the looks at it spend at most 1 - confidence: the sum of 6 / (pi k)^2 over all k is 1.
 *
 * @throws PlimsollError `invalid-artifact` if the record is damaged or lacks a look that a verdict beside it names;
 * `insufficient-data` if the planned looks are spent, or the plan is another than that of the earlier looks
 */
export function planLook(place: RecordPlace, request: LookRequest): LookPlan {
  return planOf(wholeRecord(place), request).plan;
}

/**
 * Puts a look on record before its outcome is known: on the disk when this returns, so that a look that is killed counts. The same look at
 * the same cases adds no line.
 * @throws PlimsollError as `planLook`; `io` if the record cannot be written
 */
export function beginLook(place: RecordPlace, request: LookRequest & { issued: Date }): BegunLook {
  return withLock(looksFile(place), () => {
    const record = wholeRecord(place);
    const { plan: planned, same, added } = planOf(record, request);
    const before = same?.latest;
    if (before !== undefined && added.length === 0) return { ...planned, record: before.record };
    const { artifact, artifactSha256, policy, suite, suiteSha256, confidence, plannedLooks, cases } = request;
    const line = appendLine(record, {
      schema_version: 2,
      artifact,
      artifact_sha256: artifactSha256,
      policy: { name: policy.name, version: policy.version },
      suite,
      suite_sha256: suiteSha256,
      look: planned.number,
      confidence,
      planned_looks: plannedLooks ?? null,
      delta: planned.delta,
      issued: request.issued.toISOString(),
      n: cases.contents.length,
      continues: before?.record ?? null,
      batches: [
        ...(before?.batches ?? []).map(({ sha256, contents }) => ({ n: contents.length, sha256 })),
        batchLine(contentsOf(cases, added), questionsOf(cases, added), record.known),
      ],
    });
    return { ...planned, record: line, head: line };
  });
}

/**
 * Adds the outcome of a look; the same outcome again adds nothing.
 * @param record see BegunLook
 * @throws PlimsollError `invalid-artifact` if the look is not on record (any more); `io` if the record cannot be written
 */
export function finishLook(
  place: RecordPlace,
  record: string,
  { verdict, threshold }: { readonly verdict: VerdictWord; readonly threshold: number | null },
): void {
  const file = looksFile(place);
  withLock(file, () => {
    const found = readLookRecord(file);
    if (!found.begun.has(record)) {
      throw new PlimsollError(
        'invalid-artifact',
        `${file} does not have the look that the gate began: it was replaced meanwhile. Run the gate again.`,
        { place: { file } },
      );
    }
    const outcome = found.outcomes.get(record);
    if (outcome?.verdict === verdict && outcome.threshold === threshold) return;
    appendLine(found, { schema_version: 2, of: record, verdict, threshold });
  });
}

/**
 * Whether no other look on record has seen the question of each case.
 * @param record the look that does not count, see BegunLook
 * @throws PlimsollError `invalid-artifact` if the record is damaged
 */
export function unseenByLooks(
  artifactFolder: string,
  record: string | null,
  cases: CaseFingerprints,
): boolean[] {
  const { looks } = readLookRecord(looksFile(artifactFolder));
  const others = looks.filter(({ latest }) => latest === undefined || latest.record !== record);
  if (others.some(({ latest }) => latest === undefined)) return Array.from(cases.keys, () => false);
  const seen = new Set(
    others.flatMap(({ latest }) => latest!.batches.flatMap(({ questions }) => [...questions])),
  );
  return Array.from(cases.keys, (key, i) => !seen.has(key) && !seen.has(cases.texts[i]!));
}

/**
 * Compares the record with the verdicts of the artifacts beside it.
 * @throws PlimsollError `invalid-artifact` if a verdict names a look that the record lacks: it was cut, replaced, left behind or deleted
 */
export function assertRecordWhole(store: string): void {
  assertHasLooksOf(store, readLookRecord(path.join(store, LOOKS_FILE)));
}

function wholeRecord(place: RecordPlace): LookRecord {
  const file = looksFile(place);
  const record = readLookRecord(file);
  if (path.basename(file) === LOOKS_FILE) assertHasLooksOf(path.dirname(file), record);
  return record;
}

function assertHasLooksOf(store: string, { file, begun }: LookRecord): void {
  for (const verdict of verdictsIn(store)) {
    const look = looksOf(verdict).find((line) => !begun.has(line));
    if (look === undefined) continue;
    throw new PlimsollError(
      'invalid-artifact',
      `${verdict} rests on the look ${look.slice(0, 12)}…, which ${file} does not have: the record was cut, replaced or deleted, or the artifact was copied without it. Restore the record, such as from version control; an artifact of another folder needs its record, or no verdict.`,
      { place: { file } },
    );
  }
}

/** Of the artifacts in the store; reports have copies of verdicts. Names that begin with a dot are of artifacts that are being written. */
function verdictsIn(store: string): string[] {
  if (!existsSync(store)) return [];
  const folders = readdirSync(store).filter(
    (name) => !name.startsWith('.') && existsSync(path.join(store, name, MANIFEST_FILE)),
  );
  return folders.sort().map((folder) => path.join(store, folder, VERDICT_FILE));
}

/**
 * The lines that the verdict of an artifact names: its look, and the last on record at that time. Whether there is a verdict that can be
 * read, its reader says. Verdicts on decisions lie anywhere, as reports do, and not only beside their record.
 */
function looksOf(verdictFile: string): string[] {
  const verdict = parseJson(textOr('', verdictFile));
  if (!isObject(verdict) || verdict['schema_version'] !== 2 || 'decisions' in verdict) return [];
  const looks = verdict['looks'];
  if (!isObject(looks)) return [];
  return [looks['record'], looks['head']].filter((line) => typeof line === 'string');
}

function textOr(fallback: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
}

function looksFile(place: RecordPlace): string {
  return typeof place === 'string'
    ? path.join(path.dirname(path.resolve(place)), LOOKS_FILE)
    : path.resolve(place.file);
}
