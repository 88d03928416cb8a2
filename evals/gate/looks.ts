import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { MANIFEST_FILE, VERDICTS, type VerdictWord } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { readBounded, withLock } from '../../router/files/index.ts';
import { isObject, parseJson } from '../../router/json/index.ts';
import { type CaseFingerprints, contentsOf, recordedQuestionsOf } from './case-fingerprints.ts';
import { batchLine } from './look-lines.ts';
import { type LookPlan, type LookRequest, planOf } from './look-plan.ts';
import { appendLine, type LookRecord, type Outcome, readLookRecord } from './look-record.ts';

/** Next to the artifacts, so that it outlives each of them: an artifact that is replaced takes its verdict with it. */
const LOOKS_FILE = 'looks.jsonl';
const VERDICT_FILE = 'verdict.json';

/** Where the record is: beside the artifact of a folder; or a file of its own, with the file of an earlier verdict that rests on it. */
export type RecordPlace = string | { readonly file: string; readonly verdict?: string };

/** A look on record. */
export type BegunLook = LookPlan & { readonly record: string };

/** How a look is taken: `write` puts it on record, `check` only repeats one that is; by default it is neither. */
export interface Taking {
  readonly write?: boolean;
  readonly check?: boolean;
  readonly issued: Date;
}

/**
 * Takes a look, before its outcome is known.
 * @throws PlimsollError as `beginLook`, `repeatLook` and `planLook`; `invalid-input` if it is to be written and only checked
 */
export function takeLook(
  place: RecordPlace,
  request: LookRequest,
  { write, check, issued }: Taking,
): LookPlan {
  if (write && check) {
    throw new PlimsollError('invalid-input', 'A check writes nothing: choose one of "write" and "check".');
  }
  if (write) return beginLook(place, { ...request, issued });
  return check ? repeatLook(place, request) : planLook(place, request);
}

/**
 * What a look would be, by its record; nothing is written.
 *
 * It is the same look again if artifact, policy, suite, confidence and plan of labels are the same and every case of the look is still there, unchanged.
 * Cases of questions that no look has seen yet become its next batch. Anything else that touches a question that was looked at, or of which
 * a twentieth are copies of such questions, is the next look, with number 1 + the looks that have a question in common with it, or that many copies, or a
 * hard case of which recall is promised. So the j-th look at a question has a number of at least j, and together
 * the looks at it spend at most 1 - confidence: the sum of 6 / (pi k)^2 over all k is 1.
 *
 * @throws PlimsollError `invalid-artifact` if the record is damaged or lacks a look that a verdict beside it names;
 * `insufficient-data` if the planned looks are spent, or the plan is another than that of the earlier looks
 */
export function planLook(place: RecordPlace, request: LookRequest): LookPlan {
  return planOf(wholeRecord(place), request).plan;
}

/**
 * A look that is on record, with these very cases. Nothing is written.
 * @throws PlimsollError as `planLook`; `invalid-input` if the look is not on record: without one it could be repeated with other limits or
 * cases until one passes
 */
export function repeatLook(place: RecordPlace, request: LookRequest): LookPlan {
  const record = wholeRecord(place);
  const { plan } = planOf(record, request);
  if (plan.record !== null) return plan;
  throw new PlimsollError(
    'invalid-input',
    `A check repeats a look that is on record, and ${record.file} has none of ${request.artifact} by this suite at these cases: ${whyNew(record, request, plan)}. Gate it without --check: that look is counted, so that nobody can try limits or cases until one passes.`,
    { place: { file: record.file } },
  );
}

function whyNew({ looks }: LookRecord, { artifactSha256, suiteSha256 }: LookRequest, plan: LookPlan): string {
  if (plan.continues) return 'cases were appended since';
  const own = looks.filter(({ shown }) => shown.artifact_sha256 === artifactSha256);
  if (own.length === 0) return 'nothing was gated that is what it is now';
  if (own.some(({ shown }) => shown.suite_sha256 === suiteSha256))
    return 'the cases, their labels or the plan of labels are others';
  const suites = own.map(
    ({ shown }) => `${shown.suite} (sha256 ${shown.suite_sha256?.slice(0, 12) ?? 'unknown'})`,
  );
  return `it was gated by ${[...new Set(suites)].join(', ')}, and this suite has the sha256 ${suiteSha256.slice(0, 12)}`;
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
    const { labelPlanSha256, hardCases } = request;
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
      ...(labelPlanSha256 !== undefined && { label_plan_sha256: labelPlanSha256 }),
      issued: request.issued.toISOString(),
      n: cases.contents.length,
      continues: before?.record ?? null,
      batches: [
        ...(before?.batches ?? []).map(({ sha256, contents }) => ({ n: contents.length, sha256 })),
        batchLine(contentsOf(cases, added), recordedQuestionsOf(cases, added), record.known),
      ],
      ...(hardCases && { hard_cases: batchLine(hardCases.ids, hardCases.questions, record.known) }),
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
    const outcome = found.outcomes.get(record)?.at(-1);
    if (outcome?.verdict === verdict && outcome.threshold === threshold) return;
    appendLine(found, { schema_version: 2, of: record, verdict, threshold });
  });
}

/**
 * Whether no other look on record has seen the question of each case, or a copy of it.
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
  return Array.from(
    cases.keys,
    (key, i) => !seen.has(key) && !seen.has(cases.texts[i]!) && !seen.has(cases.copies[i]!),
  );
}

/**
 * Compares the record with the verdicts of the artifacts beside it.
 * @param kept files of further verdicts that rest on it, whose artifacts may be gone; one that is not there is left out
 * @throws PlimsollError `invalid-artifact` if a verdict names a look that the record lacks: it was cut, replaced, left behind or deleted; or if it
 *   says something else than the record of its outcome
 */
export function assertRecordWhole(store: string, kept: readonly string[] = []): void {
  const verdicts = [...verdictsIn(store), ...kept.flatMap((file) => namedLooks(file, 'artifact'))];
  assertAgrees(readLookRecord(path.join(store, LOOKS_FILE)), verdicts);
}

function wholeRecord(place: RecordPlace): LookRecord {
  const record = readLookRecord(looksFile(place));
  if (path.basename(record.file) === LOOKS_FILE) assertAgrees(record, verdictsIn(path.dirname(record.file)));
  if (typeof place === 'object' && place.verdict !== undefined)
    assertAgrees(record, namedLooks(place.verdict, 'decisions'));
  return record;
}

/** What a verdict says about looks. */
interface NamedLooks {
  readonly file: string;
  readonly of: 'artifact' | 'decisions';
  /** Lines of looks: its own, and the last on record at that time. */
  readonly lines: readonly string[];
  /** Its own look, and its outcome. */
  readonly look?: { readonly record: string; readonly outcome: Partial<Outcome> };
}

function assertAgrees(record: LookRecord, verdicts: readonly NamedLooks[]): void {
  for (const verdict of verdicts) {
    assertHasLooks(record, verdict);
    assertSameOutcome(record, verdict);
  }
}

function assertHasLooks({ file, begun }: LookRecord, { file: verdict, of, lines }: NamedLooks): void {
  const gone = lines.find((line) => !begun.has(line));
  if (gone === undefined) return;
  const look = `${gone.slice(0, 12)}…`;
  const why = {
    artifact: `${verdict} rests on the look ${look}, which ${file} does not have: the record was cut, replaced or deleted, or the artifact was copied without it. Restore the record, such as from version control; an artifact of another folder needs its record, or no verdict.`,
    decisions: `The earlier verdict ${verdict} rests on the look ${look}, which ${file} does not have: the record was moved, cut, replaced or deleted. Restore it, such as from version control, or name it by --looks; a verdict on other data goes to another file.`,
  };
  throw new PlimsollError('invalid-artifact', why[of], { place: { file } });
}

/**
 * Lines are chained, so that an edited one shows in the next; the last one has none. The outcome of a look is written before its verdict, and a
 * verdict stays if the gate is stopped between the two: it must say what one of the outcomes says. An outcome that is missing, as of
 * a torn line, is written again by the next run.
 */
function assertSameOutcome({ file, outcomes }: LookRecord, { file: verdict, look }: NamedLooks): void {
  const recorded = look && outcomes.get(look.record);
  if (recorded === undefined || recorded.some((one) => agrees(one, look!.outcome))) return;
  throw new PlimsollError(
    'invalid-artifact',
    `${verdict} says ${outcomeWords(look!.outcome)}, and ${file} has ${outcomeWords(recorded.at(-1)!)} for the same look: one of the two was edited. Restore both, such as from version control.`,
    { place: { file } },
  );
}

function agrees(recorded: Outcome, { verdict, threshold }: Partial<Outcome>): boolean {
  return (
    (verdict === undefined || verdict === recorded.verdict) &&
    (threshold === undefined || threshold === recorded.threshold)
  );
}

function outcomeWords({ verdict, threshold }: Partial<Outcome>): string {
  return threshold === null ? `${verdict}, with no threshold` : `${verdict} at threshold ${threshold}`;
}

/** The verdicts of artifacts in the store; reports have copies. Names that begin with a dot are of artifacts that are being written. */
function verdictsIn(store: string): NamedLooks[] {
  if (!existsSync(store)) return [];
  const folders = readdirSync(store).filter(
    (name) => !name.startsWith('.') && existsSync(path.join(store, name, MANIFEST_FILE)),
  );
  return folders.sort().flatMap((folder) => namedLooks(path.join(store, folder, VERDICT_FILE), 'artifact'));
}

/**
 * Whether there is a verdict that can be read, its reader says. Verdicts on decisions lie anywhere, as reports do, and not only beside
 * their record.
 */
function namedLooks(file: string, of: NamedLooks['of']): NamedLooks[] {
  const verdict = parseJson(textOr('', file));
  if (!isObject(verdict) || verdict['schema_version'] !== 2) return [];
  if ('decisions' in verdict !== (of === 'decisions')) return [];
  const { looks } = verdict;
  if (!isObject(looks)) return [];
  const { record, head } = looks;
  const lines = [record, head].filter((line) => typeof line === 'string');
  if (typeof record !== 'string') return [{ file, of, lines }];
  return [{ file, of, lines, look: { record, outcome: outcomeOf(verdict) } }];
}

/** What a verdict does not say, as a file that only looks like one, is left out and not compared. */
function outcomeOf({
  verdict,
  decisions,
  policy,
  walk,
}: Readonly<Record<string, unknown>>): Partial<Outcome> {
  const word = VERDICTS.find((one) => one === verdict);
  const named = word === undefined ? {} : { verdict: word };
  if (decisions !== undefined) return { ...named, threshold: null };
  if (!isObject(policy) || !isObject(walk)) return named;
  const failedAtOnce = walk['steps'] === 0 || (walk['steps'] === 1 && walk['stopped_by'] !== null);
  if (failedAtOnce) return { ...named, threshold: null };
  const { threshold } = policy;
  return typeof threshold === 'number' ? { ...named, threshold } : named;
}

/** The largest verdict that anything reads. */
const VERDICT_LIMITS = { mostBytes: 4 * 2 ** 20, code: 'invalid-artifact', remedy: '' } as const;

function textOr(fallback: string, file: string): string {
  try {
    return new TextDecoder().decode(readBounded(file, VERDICT_LIMITS));
  } catch {
    return fallback;
  }
}

function looksFile(place: RecordPlace): string {
  return typeof place === 'string'
    ? path.join(path.dirname(path.resolve(place)), LOOKS_FILE)
    : path.resolve(place.file);
}
