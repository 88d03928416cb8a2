import { createHash, randomBytes } from 'node:crypto';
import { PlimsollError } from '../../router/errors.ts';
import { BadRow } from '../case-files/index.ts';
import { type CanonicalRow, canonicalRows } from '../cases/index.ts';

export interface SampleOptions {
  /** Files of labelled cases with the texts of the replies, as `label` writes them. */
  readonly cases: readonly string[];
  /** Names in the cases, cheapest first. */
  readonly candidates: readonly string[];
  /** Cases to be reviewed, drawn at random; all if there are fewer. */
  readonly n: number;
}

export interface Sample {
  /** In a random order, so that the first of them are a random sample too. */
  readonly drawn: readonly CanonicalRow[];
  /** Cases from which was drawn: those with a reply of each candidate. */
  readonly population: number;
  /** Cases with a label of each candidate that lack a reply, and so cannot be drawn: a review says nothing of them. */
  readonly withoutReplies: number;
}

/**
 * Draws cases without replacement, each with the same probability n / population, as `judgedLossBound` requires. Hashes of their ids
 * decide: the same cases give the same draw.
 * @throws PlimsollError `insufficient-data`: no case has the replies
 */
export function sampleCases(
  rows: readonly CanonicalRow[],
  { candidates, n }: Pick<SampleOptions, 'candidates' | 'n'>,
): Sample {
  const byId = new Map(rows.filter((row) => hasReplies(row, candidates)).map((row) => [row.id, row]));
  const reviewable = [...byId.values()];
  if (reviewable.length === 0) {
    throw new PlimsollError('insufficient-data', noReplies(rows, candidates));
  }
  const isLabelled = (row: CanonicalRow) => candidates.every((name) => qualityOf(row, name) !== undefined);
  return {
    drawn: inOrderOfDraw(reviewable).slice(0, n),
    population: reviewable.length,
    withoutReplies: rows.filter((row) => isLabelled(row) && !hasReplies(row, candidates)).length,
  };
}

function noReplies(rows: readonly CanonicalRow[], candidates: readonly string[]): string {
  const found = new Set(rows.flatMap(({ outcomes }) => Object.keys(outcomes)));
  const unknown = candidates.filter((name) => !found.has(name));
  if (unknown.length > 0 && found.size > 0) {
    return `No case has an outcome of ${unknown.join(' or ')}. The cases have outcomes of ${[...found].join(', ')}: give --models these names.`;
  }
  return `No case has the replies of ${candidates.join(' and ')}: reviewers need outcomes.<model>.answer.`;
}

/** Each hash is computed once: a server does this too. */
function inOrderOfDraw(rows: readonly CanonicalRow[]): CanonicalRow[] {
  return rows
    .map((row) => ({ row, draw: drawOf(row) }))
    .sort((a, b) => (a.draw < b.draw ? -1 : 1))
    .map(({ row }) => row);
}

function drawOf({ id }: CanonicalRow): string {
  return createHash('sha256').update(`review ${id}`).digest('hex');
}

/** @throws PlimsollError `invalid-input` naming file and line of a row that is no case */
export async function readRows(files: readonly string[]): Promise<CanonicalRow[]> {
  const rows: CanonicalRow[] = [];
  for await (const { file, line, row } of canonicalRows(files)) {
    if (row === undefined) continue;
    if (row instanceof BadRow) {
      throw new PlimsollError('invalid-input', `${file}, line ${line}: ${row.message}.`, {
        place: { file, line },
      });
    }
    rows.push(row);
  }
  return rows;
}

/** Begins with a letter: a spreadsheet takes 496e54362499 for a number, and writes another one back. */
export function newItem(): string {
  return `r${randomBytes(6).toString('hex')}`;
}

export function hasReplies(row: CanonicalRow, candidates: readonly string[]): boolean {
  return candidates.every((name) => answerOf(row, name) !== undefined);
}

export function answerOf({ outcomes }: CanonicalRow, model: string): string | undefined {
  const answer = Object.hasOwn(outcomes, model) ? outcomes[model]?.['answer'] : undefined;
  return typeof answer === 'string' ? answer : undefined;
}

export function qualityOf({ outcomes }: CanonicalRow, model: string): number | undefined {
  const quality = Object.hasOwn(outcomes, model) ? outcomes[model]?.['quality'] : undefined;
  return typeof quality === 'number' ? quality : undefined;
}
