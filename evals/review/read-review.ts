import path from 'node:path';
import { PlimsollError } from '../../router/errors.ts';
import type { Agreement } from '../../router/grading/index.ts';
import { type JudgedLossBound, judgedLossBound } from '../../router/statistics/index.ts';
import { type CanonicalRow, writeCases } from '../cases/index.ts';
import { agreementOf, type Ratings } from './agreement.ts';
import { isGradesFile, readGrades } from './grades.ts';
import { type ReviewKey, readKey } from './key.ts';
import { hasReplies, qualityOf, readRows } from './sample.ts';
import { readTable, TIE } from './table.ts';

export interface ReadReviewOptions {
  /** The cases that the review was written from. */
  readonly cases: readonly string[];
  /** `<review>.key.json`. */
  readonly key: string;
  /** A table of each reviewer, filled in; or the grades of the page, of all of its reviewers. */
  readonly reviews: readonly string[];
  /** The cases with the labels of people in place of others, .jsonl or .jsonl.gz. */
  readonly out: string;
}

/** What people say, and what it makes of the other labels. */
export interface ReadReview {
  readonly reviewers: number;
  /** Items with a verdict of at least one reviewer, of all. */
  readonly reviewed: number;
  readonly items: number;
  /** Cases that were settled after reviewers disagreed: there the settlement counts, elsewhere the mean. */
  readonly settled: number;
  /** Cases with a reply of which no reviewer could tell, and that was not settled: it keeps the label that it had. */
  readonly undecided: number;
  readonly agreement: Agreement;
  /** For each candidate but the strongest, if it took every request; undefined if fewer than two cases have both labels. */
  readonly bounds: readonly {
    readonly candidate: string;
    /** Cases with the labels of the judge or of graders that could have been drawn, and those that people labelled too. */
    readonly judged: number;
    readonly audited: number;
    readonly bound: JudgedLossBound;
  }[];
}

const DELTA = 0.05;

/**
 * Takes the verdicts of reviewers over as labels of people (the mean of the reviewers, unless a disagreement was settled), and compares
 * them with the labels that were there.
 * @throws PlimsollError `invalid-input`, naming file, line and field, for a verdict or an item that there is not; `not-found`, `io`
 */
export async function readReview({
  cases,
  key: keyFile,
  reviews,
  out,
}: ReadReviewOptions): Promise<ReadReview> {
  requireOwnFile(out, [...cases, ...reviews, keyFile]);
  const key = readKey(keyFile);
  const rows = await readRows(cases);
  const { ratings, settled, undecided } = await readReviews(reviews, key);
  const casesOf = (items: { has(item: string): boolean }) =>
    new Set(key.items.filter(({ item }) => items.has(item)).map((one) => one.case)).size;
  const verdicts = key.items.map(({ item }) => [...ratings.values()].flatMap((one) => one.get(item) ?? []));
  const human = humanQualities(key, verdicts, settled);
  await writeCases(
    out,
    rows.map((row) => relabelled(row, human.get(row.id))),
  );
  return {
    reviewers: ratings.size,
    reviewed: verdicts.filter((one) => one.length > 0).length,
    items: key.items.length,
    settled: casesOf(settled),
    undecided: casesOf(undecided),
    agreement: agreementOf(key, ratings),
    bounds: boundsOf(
      key,
      rows.filter((row) => hasReplies(row, key.candidates)),
      human,
    ),
  };
}

/** The ratings of each reviewer: of a table under the name of its file, of the page under the reviewer's. */
async function readReviews(files: readonly string[], key: ReviewKey) {
  const ratings = new Map<string, Ratings>();
  const settled = new Map<string, number>();
  const undecided = new Set<string>();
  for (const file of files) {
    if (!isGradesFile(file)) {
      ratings.set(file, await readTable(file, key));
      continue;
    }
    const grades = readGrades(file, key);
    if (grades.ratings.size + grades.settled.size === 0) {
      throw new PlimsollError('insufficient-data', `${file} has no grades yet.`, { place: { file } });
    }
    for (const [reviewer, given] of grades.ratings) ratings.set(`${reviewer} in ${file}`, given);
    for (const [item, quality] of grades.settled) settled.set(item, quality);
    for (const item of grades.undecided) undecided.add(item);
  }
  const isRated = (item: string) => settled.has(item) || [...ratings.values()].some((one) => one.has(item));
  return { ratings, settled, undecided: new Set([...undecided].filter((item) => !isRated(item))) };
}

/** Case -> candidate -> quality by people. */
type Human = ReadonlyMap<string, ReadonlyMap<string, number>>;

function humanQualities(
  { items, style, candidates }: ReviewKey,
  verdicts: readonly (readonly number[])[],
  settled: Ratings,
): Human {
  const human = new Map<string, Map<string, number>>();
  for (const [at, { item, case: id, candidate }] of items.entries()) {
    const given = verdicts[at] ?? [];
    const quality =
      settled.get(item) ??
      (given.length === 0 ? undefined : given.reduce((sum, one) => sum + one, 0) / given.length);
    if (quality === undefined) continue;
    const qualities = human.get(id) ?? new Map<string, number>();
    human.set(id, qualities.set(candidate, quality));
    if (style === 'pairs') qualities.set(candidates.at(-1) ?? '', TIE);
  }
  return human;
}

function relabelled(row: CanonicalRow, human: ReadonlyMap<string, number> | undefined) {
  if (human === undefined) return { ...row };
  const outcomes = Object.entries(row.outcomes).map(([name, outcome]) => {
    const quality = human.get(name);
    if (quality === undefined) return [name, outcome];
    const { labelled_by: _, ...rest } = outcome;
    // the gate corrects the judge's other labels by the difference
    const judged = rest['label_source'] === 'judge' ? { judged_quality: rest['quality'] } : {};
    return [name, { ...rest, ...judged, quality, label_source: 'human' }];
  });
  return { ...row, outcomes: Object.fromEntries(outcomes) };
}

function boundsOf(
  { candidates }: ReviewKey,
  rows: readonly CanonicalRow[],
  human: Human,
): ReadReview['bounds'] {
  const strong = candidates.at(-1) ?? '';
  return candidates.slice(0, -1).flatMap((candidate) => {
    const judged: number[] = [];
    const audited = { judged: [] as number[], human: [] as number[] };
    for (const row of rows) {
      const loss = difference(qualityOf(row, strong), qualityOf(row, candidate));
      if (loss === undefined) continue;
      judged.push(loss);
      const people = human.get(row.id);
      const seen = difference(people?.get(strong), people?.get(candidate));
      if (seen === undefined) continue;
      audited.judged.push(loss);
      audited.human.push(seen);
    }
    if (audited.human.length < 2) return [];
    const bound = judgedLossBound(judged, audited, DELTA);
    return [{ candidate, judged: judged.length, audited: audited.human.length, bound }];
  });
}

function difference(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a - b;
}

function requireOwnFile(out: string, inputs: readonly string[]): void {
  if (!inputs.some((input) => path.resolve(input) === path.resolve(out))) return;
  throw new PlimsollError(
    'invalid-input',
    `${out} is one of the files that are read, and its labels would be lost. Name another file with --out.`,
    { place: { file: out } },
  );
}
