import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import papaparse from 'papaparse';
import { PlimsollError } from '../../router/errors.ts';
import { replaceFile } from '../../router/files/index.ts';
import { BadRow } from '../case-files/index.ts';
import { type CanonicalRow, parseCase, readRecords } from '../cases/index.ts';
import { keyFileOf, type ReviewKey, type ReviewStyle, writeKey } from './key.ts';
import { answerOf, newItem, readRows, type SampleOptions, sampleCases } from './sample.ts';

export interface WriteReviewOptions extends SampleOptions {
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
  /** As of `Sample`. */
  readonly withoutReplies: number;
}

/** How a cell begins that spreadsheets compute. Papa Parse's own pattern misses cells of several lines. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * Writes replies to be reviewed by people, who see neither models nor labels. In a pair a coin decides which reply is first.
 * @throws PlimsollError as readRows and sampleCases; `invalid-input`: a file to write that is there
 */
export async function writeReview(options: WriteReviewOptions): Promise<WrittenReview> {
  const { out, candidates, style, force = false } = options;
  const keyFile = keyFileOf(out);
  for (const file of [out, keyFile]) {
    if (!existsSync(file) || force) continue;
    throw new PlimsollError(
      'invalid-input',
      `${file} is there already. Name another file, or replace it with --force.`,
      { place: { file } },
    );
  }
  const { drawn, population, withoutReplies } = sampleCases(await readRows(options.cases), options);
  const items = drawn.flatMap((row) => itemsOf(row, candidates, style));
  const entries = items.map(({ entry }) => entry);
  writeKey(keyFile, { version: 1, style, candidates: [...candidates], population, items: entries });
  const table = papaparse.unparse(
    items.map(({ cells }) => cells),
    { escapeFormulae: FORMULA, newline: '\n' },
  );
  replaceFile(out, `${table}\n`);
  return { cases: drawn.length, items: items.length, keyFile, withoutReplies };
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

/** The quality of a reply that is as good as the strongest candidate's, in pairs. */
export const TIE = 0.5;

/**
 * Item -> quality of the candidate's reply, 0 to 1, by the reviewer who filled the table in.
 * @throws PlimsollError `invalid-input`, naming file, line and field, for a verdict or an item that there is not; a table without verdicts
 */
export async function readTable(file: string, { items, style }: ReviewKey): Promise<Map<string, number>> {
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
