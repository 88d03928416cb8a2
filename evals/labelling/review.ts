import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import papaparse from 'papaparse';
import { z } from 'zod';
import { PlimsollError, systemErrorCode } from '../../router/errors.ts';
import { replaceFile } from '../../router/files/index.ts';
import { parseJson } from '../../router/json/index.ts';
import {
  cohenKappa,
  type JudgedLossBound,
  judgedLossBound,
  krippendorffAlpha,
} from '../../router/statistics/index.ts';
import {
  BadRow,
  type CanonicalRow,
  canonicalRows,
  parseCase,
  readRecords,
  writeCases,
} from '../cases/index.ts';

/** `pairs`: which of two replies is better; `replies`: how good each is, 0 to 1. */
const STYLES = ['pairs', 'replies'] as const;
export type ReviewStyle = (typeof STYLES)[number];

const keySchema = z.strictObject({
  version: z.literal(1),
  style: z.enum(STYLES),
  /** Cheapest first. */
  candidates: z.array(z.string()).min(2),
  items: z.array(
    z.strictObject({
      item: z.string(),
      case: z.string(),
      candidate: z.string(),
      /** Whether the candidate's reply is the first of the pair. */
      first: z.boolean(),
    }),
  ),
});
type ReviewKey = z.infer<typeof keySchema>;

export interface WriteReviewOptions {
  /** Files of labelled cases with the texts of the replies, as `label` writes them. */
  readonly cases: readonly string[];
  /** Names in the cases, cheapest first. */
  readonly candidates: readonly string[];
  /** Cases to be reviewed, drawn at random; all if there are fewer. */
  readonly n: number;
  readonly style: ReviewStyle;
  /** A table for reviewers, .csv; which reply is whose is in `<out>.key.json`, which they must not see. */
  readonly out: string;
  /** Replace both. Default false. */
  readonly force?: boolean;
}

export interface WrittenReview {
  readonly cases: number;
  readonly items: number;
  readonly keyFile: string;
}

/**
 * Writes replies to be reviewed by people, who see neither models nor labels. In a pair a coin decides which reply is first.
 * @throws PlimsollError `invalid-input`: a file that is no cases; one to write that is there; `insufficient-data`: no case has the replies
 */
export async function writeReview(options: WriteReviewOptions): Promise<WrittenReview> {
  const { out, n, candidates, style, force = false } = options;
  const keyFile = `${out}.key.json`;
  for (const file of [out, keyFile]) if (existsSync(file) && !force) throw isThere(file);
  const rows = (await casesOf(options.cases)).filter((row) =>
    candidates.every((name) => answerOf(row, name) !== undefined),
  );
  if (rows.length === 0) {
    throw new PlimsollError(
      'insufficient-data',
      `No case has the replies of ${candidates.join(' and ')}: reviewers need outcomes.<model>.answer.`,
    );
  }
  const drawn = rows.toSorted((a, b) => (drawOf(a) < drawOf(b) ? -1 : 1)).slice(0, n);
  const items = drawn.flatMap((row) => itemsOf(row, candidates, style));
  const key: ReviewKey = {
    version: 1,
    style,
    candidates: [...candidates],
    items: items.map(({ entry }) => entry),
  };
  replaceFile(keyFile, `${JSON.stringify(key, null, 1)}\n`, { mode: 0o600 });
  const table = papaparse.unparse(
    items.map(({ cells }) => cells),
    { escapeFormulae: true, newline: '\n' },
  );
  replaceFile(out, `${table}\n`);
  return { cases: drawn.length, items: items.length, keyFile };
}

/** The same cases give the same draw. */
function drawOf({ id }: CanonicalRow): string {
  return createHash('sha256').update(`review ${id}`).digest('hex');
}

function itemsOf(row: CanonicalRow, candidates: readonly string[], style: ReviewStyle) {
  const strong = candidates.at(-1) ?? '';
  const wanted = style === 'pairs' ? candidates.slice(0, -1) : candidates;
  return wanted.map((candidate) => {
    const first = style === 'replies' || randomBytes(1).readUInt8() < 128;
    const entry = { item: newItem(), case: row.id, candidate, first };
    const [own, other] = [answerOf(row, candidate) ?? '', answerOf(row, strong) ?? ''];
    const prompt = parseCase(row, row.id).text;
    const replies =
      style === 'replies' ? { reply: own } : { reply_1: first ? own : other, reply_2: first ? other : own };
    return { entry, cells: { item: entry.item, prompt, ...replies, verdict: '', comment: '' } };
  });
}

/** Begins with a letter: a spreadsheet takes 496e54362499 for a number, and writes another one back. */
function newItem(): string {
  return `r${randomBytes(6).toString('hex')}`;
}

function answerOf({ outcomes }: CanonicalRow, model: string): string | undefined {
  const answer = Object.hasOwn(outcomes, model) ? outcomes[model]?.['answer'] : undefined;
  return typeof answer === 'string' ? answer : undefined;
}

export interface ReadReviewOptions {
  /** The cases that the review was written from. */
  readonly cases: readonly string[];
  /** `<review>.key.json`. */
  readonly key: string;
  /** A table of each reviewer, filled in. */
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
  /** Of two reviewers, on the items of both; undefined for more or fewer. */
  readonly kappa: number | undefined;
  readonly alpha: number | undefined;
  /** Of each candidate but the strongest, if it took every request; undefined if fewer than two cases have both labels. */
  readonly bounds: readonly {
    readonly candidate: string;
    /** Cases with the labels of the judge or of graders, and those that people labelled too. */
    readonly judged: number;
    readonly audited: number;
    readonly bound: JudgedLossBound;
  }[];
}

const DELTA = 0.05;

/**
 * Takes the verdicts of reviewers over as labels of people (the mean of the reviewers), and compares them with the labels that were there.
 * @throws PlimsollError `invalid-input`, naming file, line and field, for a verdict or an item that there is not; `not-found`, `io`
 */
export async function readReview({
  cases,
  key: keyFile,
  reviews,
  out,
}: ReadReviewOptions): Promise<ReadReview> {
  requireOwnFile(out, [...cases, ...reviews, keyFile]);
  const key = keyFrom(keyFile);
  const rows = await casesOf(cases);
  const verdicts = await Promise.all(reviews.map((file) => verdictsIn(file, key)));
  const ratings = key.items.map(({ item }) => verdicts.flatMap((one) => one.get(item) ?? []));
  const [first, second] = verdicts;
  const both = [...(first ?? [])].flatMap(([item, a]) => {
    const b = second?.get(item);
    return b === undefined ? [] : [[a, b] as const];
  });
  const human = humanQualities(key, ratings);
  await writeCases(
    out,
    rows.map((row) => relabelled(row, human.get(row.id))),
  );
  return {
    reviewers: reviews.length,
    reviewed: ratings.filter((one) => one.length > 0).length,
    items: key.items.length,
    kappa:
      verdicts.length === 2 && both.length > 0
        ? cohenKappa(
            both.map(([a]) => a),
            both.map(([, b]) => b),
          )
        : undefined,
    alpha: krippendorffAlpha(ratings, key.style === 'pairs' ? 'nominal' : 'interval'),
    bounds: boundsOf(key, rows, human),
  };
}

/** Case -> candidate -> quality by people. */
type Human = ReadonlyMap<string, ReadonlyMap<string, number>>;

const TIE = 0.5;

function humanQualities(
  { items, style, candidates }: ReviewKey,
  ratings: readonly (readonly number[])[],
): Human {
  const human = new Map<string, Map<string, number>>();
  for (const [at, { case: id, candidate }] of items.entries()) {
    const given = ratings[at] ?? [];
    if (given.length === 0) continue;
    const qualities = human.get(id) ?? new Map<string, number>();
    human.set(id, qualities.set(candidate, given.reduce((sum, one) => sum + one, 0) / given.length));
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

function qualityOf({ outcomes }: CanonicalRow, model: string): number | undefined {
  const quality = Object.hasOwn(outcomes, model) ? outcomes[model]?.['quality'] : undefined;
  return typeof quality === 'number' ? quality : undefined;
}

/** Item -> quality of the candidate's reply. */
async function verdictsIn(file: string, { items, style }: ReviewKey): Promise<Map<string, number>> {
  const known = new Map(items.map((entry) => [entry.item, entry]));
  const verdicts = new Map<string, number>();
  let hasVerdicts = false;
  for await (const { line, fields } of readRecords(file)) {
    const fault = (field: string, why: string) =>
      new PlimsollError('invalid-input', `${file}, line ${line}, field "${field}": ${why}.`, {
        place: { file, line, field },
      });
    let cells: Readonly<Record<string, unknown>>;
    try {
      cells = fields();
    } catch (error) {
      throw error instanceof BadRow ? fault(error.field ?? 'row', error.message) : error;
    }
    const verdict = String(cells['verdict'] ?? '').trim();
    hasVerdicts ||= verdict !== '';
    if (verdict === '') continue; // not reviewed
    const entry = known.get(String(cells['item'] ?? '').trim());
    if (entry === undefined) throw fault('item', 'the key has no such item; name the key of this review');
    if (verdicts.has(entry.item)) throw fault('item', 'it has a verdict above already');
    const quality = style === 'pairs' ? pairQuality(verdict, entry.first) : replyQuality(verdict);
    if (quality === undefined) {
      const form =
        style === 'pairs'
          ? '1 if the first reply is better, 2 if the second, or tie'
          : 'a number from 0 to 1, right or wrong';
      throw fault('verdict', `must be ${form}, or empty if it was not reviewed`);
    }
    verdicts.set(entry.item, quality);
  }
  if (!hasVerdicts) {
    throw new PlimsollError(
      'invalid-input',
      `${file} has no verdict: fill in the column "verdict" of the table that \`plimsoll review write\` made, and keep its header.`,
      { place: { file, field: 'verdict' } },
    );
  }
  return verdicts;
}

function pairQuality(verdict: string, first: boolean): number | undefined {
  if (verdict.toLowerCase() === 'tie') return TIE;
  if (verdict !== '1' && verdict !== '2') return undefined;
  return Number((verdict === '1') === first);
}

function replyQuality(verdict: string): number | undefined {
  const word = verdict.toLowerCase();
  if (word === 'right' || word === 'wrong') return Number(word === 'right');
  const value = Number(verdict.replace(',', '.')); // spreadsheets of many languages write 0,5
  return value >= 0 && value <= 1 ? value : undefined;
}

async function casesOf(files: readonly string[]): Promise<CanonicalRow[]> {
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

function keyFrom(file: string): ReviewKey {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const isMissing = systemErrorCode(cause) === 'ENOENT';
    const why = isMissing ? 'is not there' : `cannot be read (${systemErrorCode(cause)})`;
    throw new PlimsollError(isMissing ? 'not-found' : 'io', `The key ${file} ${why}.`, {
      place: { file },
      cause,
    });
  }
  const parsed = keySchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new PlimsollError(
    'invalid-input',
    `${file} is no key of a review, or of another version. Name the ${path.extname(file)} file that \`plimsoll review write\` made beside the table.`,
    { place: { file } },
  );
}

function requireOwnFile(out: string, inputs: readonly string[]): void {
  if (!inputs.some((input) => path.resolve(input) === path.resolve(out))) return;
  throw new PlimsollError(
    'invalid-input',
    `${out} is one of the files that are read, and its labels would be lost. Name another file with --out.`,
    { place: { file: out } },
  );
}

function isThere(file: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file} is there already. Name another file, or replace it with --force.`,
    {
      place: { file },
    },
  );
}
