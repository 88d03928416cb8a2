import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import type { Config } from '../../router/config/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { checkBounded, holdLock, SyncedLines } from '../../router/files/index.ts';
import type { LabelCalls, LabelSurvey, ReviewDesk } from '../../router/grading/index.ts';
import { isGzipped, isWithin } from '../case-files/index.ts';
import type { CanonicalRow } from '../cases/index.ts';
import { addCalls, type JournalSpend, journalSpend } from '../labelling/index.ts';
import { FIRST_LINE, parseGrades } from './grades.ts';
import { keyFileOf, type ReviewKey, readKey, writeKey } from './key.ts';
import { Review } from './review.ts';
import { hasReplies, newItem, readRows, type SampleOptions, sampleCases } from './sample.ts';
import { surveyOf } from './survey.ts';

export interface OpenReviewOptions extends SampleOptions {
  /** Their names, each once; others may join later. */
  readonly reviewers: readonly string[];
  /** Share of the cases that every reviewer grades, 0 to 1. */
  readonly overlap: number;
  /** Share of a reviewer's cases that come again with the sides swapped, 0 to 1. */
  readonly repeat: number;
  /** The grades, .jsonl; whose the replies are is in `<out>.key.json`. A review that was begun goes on. */
  readonly out: string;
}

export interface OpenedReview {
  readonly review: Review;
  /** The draw: cases drawn, from how many; and those with labels that lack a reply and could not be drawn, if it was drawn just now. */
  readonly drawn: number;
  readonly population: number | undefined;
  readonly withoutReplies: number;
  readonly keyFile: string;
}

/** A screen has a key for each grade of three replies. */
const MOST_CANDIDATES = 3;
const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._' -]{0,38}[\p{L}\p{M}\p{N}.])?$/u;

/**
 * Opens a review for the page: draws the cases, or goes on where an earlier run ended, however that was. Until it is closed no other
 * process can open it.
 * @throws PlimsollError as readRows and sampleCases; `invalid-input`: names or candidates that a page cannot have, another draw than the review was begun
 *   with, cases that it was not begun with, a file that is no review; `io`: another process has it open, or it cannot be written
 */
export async function openReview(options: OpenReviewOptions): Promise<OpenedReview> {
  requireNames(options.reviewers);
  requireCandidates(options.candidates);
  const release = holdLock(options.out);
  try {
    return await openLocked(options, release);
  } catch (error) {
    release();
    throw error;
  }
}

/** In bytes, of each file of cases that a server reads; of a compressed one decompressed too, since a small file may hold gigabytes. */
const LARGEST_CASES = 256 * 2 ** 20;
const LARGEST_COMPRESSED = 32 * 2 ** 20;
const REMEDY = 'Name files of labelled cases in review.cases, and of a large one a random part.';

/**
 * The review of a configuration (`review`), which people join on the dashboard.
 * @throws PlimsollError as openReview; `invalid-input`: cases that are no file, or too large for a server
 */
export async function openReviewDesk({
  models: candidates,
  ...options
}: NonNullable<Config['review']>): Promise<ReviewDesk> {
  for (const file of options.cases) await requireServable(file);
  const { review } = await openReview({ ...options, candidates, reviewers: [] });
  return review;
}

/** A command may read its cases from a pipe; a server would wait for the writer. */
async function requireServable(file: string): Promise<void> {
  const isCompressed = isGzipped(file);
  const mostBytes = isCompressed ? LARGEST_COMPRESSED : LARGEST_CASES;
  try {
    checkBounded(file, { mostBytes, code: 'invalid-input', remedy: REMEDY });
  } catch (error) {
    if (error instanceof PlimsollError) throw error;
    return; // the reader explains a refusal of the system better
  }
  if (!isCompressed || (await isWithin(file, LARGEST_CASES))) return;
  const most = LARGEST_CASES.toLocaleString('en-US');
  throw new PlimsollError(
    'invalid-input',
    `${file} has more than ${most} bytes once it is decompressed, which is the most that is read. ${REMEDY}`,
    { place: { file } },
  );
}

async function openLocked(options: OpenReviewOptions, release: () => void): Promise<OpenedReview> {
  const { out, reviewers } = options;
  const keyFile = keyFileOf(out);
  const begun = existsSync(keyFile);
  if (!begun && (statSync(out, { throwIfNoEntry: false })?.size ?? 0) > 0) throw withoutKey(out, keyFile);
  const all = await readRows(options.cases);
  const { key, rows, withoutReplies } = begun
    ? { ...goOn(options, all, keyFile), withoutReplies: 0 }
    : begin(options, all, keyFile);
  const survey = { ...surveyOf(all, key.candidates), calls: await callsFor(options.cases) };
  const lines = new SyncedLines(out, 'the grades');
  try {
    const log = parseGrades(out, lines.earlier, key);
    if (log.isEmpty) {
      lines.append(FIRST_LINE);
      log.add(FIRST_LINE);
    }
    const close = () => {
      lines.close();
      release();
    };
    const review = new Review({
      key,
      rows,
      reviewers,
      log,
      survey,
      append: (line) => lines.append(line),
      close,
    });
    return { review, drawn: rows.size, population: key.population, withoutReplies, keyFile };
  } catch (error) {
    lines.close();
    throw error;
  }
}

/** From the journals next to the case files; for one that cannot be read the reason, since grading does not need it. */
async function callsFor(files: readonly string[]): Promise<LabelSurvey['calls']> {
  const found: JournalSpend[] = [];
  const faults: string[] = [];
  for (const file of files) {
    try {
      const spend = await journalSpend(file);
      if (spend !== undefined) found.push(spend);
    } catch (error) {
      if (!(error instanceof PlimsollError)) throw error;
      faults.push(error.message);
    }
  }
  const byCaller = new Map<string, LabelCalls>();
  for (const { calls } of found) for (const one of calls) addCalls(byCaller, one);
  return {
    journals: found.length,
    of: files.length,
    byCaller: [...byCaller.values()],
    lostUsd: found.reduce((sum, { lostUsd }) => sum + lostUsd, 0),
    faults,
  };
}

type Rows = ReadonlyMap<string, CanonicalRow>;

function begin(options: OpenReviewOptions, all: readonly CanonicalRow[], keyFile: string) {
  const { candidates, n, overlap, repeat } = options;
  const { drawn, population, withoutReplies } = sampleCases(all, options);
  const key: ReviewKey = {
    version: 1,
    style: 'replies',
    candidates: [...candidates],
    population,
    items: drawn.flatMap(({ id }) =>
      candidates.map((candidate) => ({ item: newItem(), case: id, candidate, first: true })),
    ),
    page: { seed: randomBytes(16).toString('hex'), n, overlap, repeat },
  };
  writeKey(keyFile, key);
  return { key, rows: new Map(drawn.map((row) => [row.id, row])), withoutReplies };
}

function goOn(
  options: OpenReviewOptions,
  all: readonly CanonicalRow[],
  keyFile: string,
): { key: ReviewKey; rows: Rows } {
  const key = readKey(keyFile);
  requireSameDraw(options, key);
  const wanted = new Set(key.items.map((one) => one.case));
  const found = all.filter((row) => wanted.has(row.id) && hasReplies(row, key.candidates));
  const rows = new Map(found.map((row) => [row.id, row]));
  const missing = [...wanted].find((id) => !rows.has(id));
  if (missing === undefined) return { key, rows };
  throw new PlimsollError(
    'invalid-input',
    `The cases lack ${wanted.size - rows.size} of the ${wanted.size} that the review was begun with, or their replies. Name the same files with --cases.`,
    { place: { file: options.cases[0] ?? '' } },
  );
}

function requireSameDraw({ out, candidates, n, overlap, repeat }: OpenReviewOptions, key: ReviewKey): void {
  const { page } = key;
  const differs: string[] = [];
  if (page === undefined) differs.push('a table of `plimsoll review write`');
  if (candidates.join() !== key.candidates.join()) differs.push(`--models ${key.candidates.join(',')}`);
  if (page && page.n !== n) differs.push(`--n ${page.n}`);
  if (page && page.overlap !== overlap) differs.push(`--overlap ${page.overlap}`);
  if (page && page.repeat !== repeat) differs.push(`--repeat ${page.repeat}`);
  if (differs.length === 0) return;
  throw new PlimsollError(
    'invalid-input',
    `${out} was begun with ${differs.join(' ')}. Go on with the same, or name another file with --out.`,
    { place: { file: out } },
  );
}

/** @throws PlimsollError `invalid-input`: no name, one twice, or one that cannot be shown in a line */
export function requireReviewers(reviewers: readonly string[]): void {
  requireNames(reviewers);
  if (reviewers.length === 0) throw notOnce();
}

function requireNames(reviewers: readonly string[]): void {
  const bad = reviewers.find((name) => !NAME.test(name));
  if (bad !== undefined) {
    throw new PlimsollError(
      'invalid-input',
      `${JSON.stringify(bad)} cannot be a reviewer's name: up to 40 letters, digits, spaces and . _ ' -, beginning with a letter or a digit.`,
    );
  }
  if (new Set(reviewers).size < reviewers.length) throw notOnce();
}

function notOnce(): PlimsollError {
  return new PlimsollError('invalid-input', 'Name each reviewer once, and at least one: ann,bob.');
}

function requireCandidates(candidates: readonly string[]): void {
  if (candidates.length <= MOST_CANDIDATES) return;
  throw new PlimsollError(
    'invalid-input',
    `The page shows the replies of at most ${MOST_CANDIDATES} models side by side, not of ${candidates.length}. Name fewer, or use the table of \`plimsoll review write\`.`,
  );
}

function withoutKey(out: string, keyFile: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${out} is there already, and its key ${keyFile} is not. Restore the key if these are grades of a review; else name another file with --out.`,
    { place: { file: out } },
  );
}
