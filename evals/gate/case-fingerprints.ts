import { hash } from 'node:crypto';
import { ascendingOrder } from '../../router/statistics/index.ts';
import { type Case, type CopyHashes, copyHashes, replyOf } from '../cases/index.ts';

/** 48 bits, which a double holds exactly: two sets of a million different questions seem to overlap with probability .01. */
const BYTES = 6;
const HEX_DIGITS = 2 * BYTES;

/** A key of questionKey is a hash already. */
const HASHED_KEY = /^[0-9a-f]{16}$/;

/** What a text is known by. */
export interface TextHashes extends CopyHashes {
  /** 48 bits of the text's hash: equal texts have equal ones. */
  readonly textHash: number;
}

/** @param copies of the text, if they are known already */
export function hashText(text: string, copies: CopyHashes = copyHashes(text)): TextHashes {
  return { textHash: toNumber(digits(text)), ...copies };
}

/** What the record of looks keeps of cases, in columns, one entry a case: hashes of 48 bits, from which nothing can be read back. */
export interface CaseFingerprints {
  /**
   * A hash of everything that the gate reads from the case: key, text, group, label, task, source, language, turns, tools, and quality and cost of the ladder's
   * models; of a cascade, which decides by them, also their replies. Not of its id, which may be the number of its row.
   */
  readonly contents: Float64Array;
  /** Hashes of the keys. */
  readonly keys: Float64Array;
  /** Hashes of the texts: another key does not make it another question. */
  readonly texts: Float64Array;
  /** The copyHashes: nor does another number at its end. */
  readonly copies: Float64Array;
}

/** Fingerprints with what each text shares with its copies. */
export interface HashedCases extends CaseFingerprints {
  readonly hashes: readonly CopyHashes[];
}

/**
 * @param models the models of the ladder; what others reached does not matter
 * @param hashes one a case, if they are known already
 */
export function fingerprintCases(
  cases: readonly Case[],
  models: readonly string[],
  hashes: readonly CopyHashes[] = cases.map(({ text }) => copyHashes(text)),
): HashedCases {
  const n = cases.length;
  const isJudged = cases.some(({ outcomes }) =>
    models.some((model) => outcomes.get(model)?.labelSource === 'judge'),
  );
  const columns = {
    contents: new Float64Array(n),
    keys: new Float64Array(n),
    texts: new Float64Array(n),
    copies: new Float64Array(n),
    hashes,
  };
  for (const [i, one] of cases.entries()) {
    const text = digits(one.text);
    columns.contents[i] = toNumber(contentDigits(one, text, models, isJudged));
    columns.keys[i] = toNumber(HASHED_KEY.test(one.key) ? one.key.slice(0, HEX_DIGITS) : digits(one.key));
    columns.texts[i] = toNumber(text);
    columns.copies[i] = toNumber(digits(`copy ${hashes[i]!.copyHash}`));
  }
  return columns;
}

/** What the text of a case is known by. */
export function textHashesAt({ texts, hashes }: HashedCases, row: number): TextHashes {
  return { textHash: texts[row]!, ...hashes[row]! };
}

/** @param isJudged whether labels of a judge count in some of the cases: then bets on all of them are others than before these came */
function contentDigits(one: Case, text: string, models: readonly string[], isJudged: boolean): string {
  const { key, group, label, task, source, language, turns, tools, outcomes } = one;
  const amounts = models.flatMap((model) => {
    const outcome = outcomes.get(model);
    return [outcome?.quality, outcome?.costUsd];
  });
  const replies = models.map((model) => replyOf(one, model));
  return digits(
    JSON.stringify([
      ...[key, text, group, label, task, source, language, turns, tools, models, amounts],
      ...(replies.some((reply) => reply !== undefined) ? [replies] : []),
      ...judgesPart(one, models),
      ...(isJudged ? ['beside labels of a judge'] : []),
      ...(one.weight === undefined ? [] : [{ weight: one.weight }]),
      ...(one.sessionTurn === undefined ? [] : [{ session: one.sessionTurn }, tokensOf(one, models)]),
    ]),
  );
}

/** By these a session may change its model. */
function tokensOf({ outcomes }: Case, models: readonly string[]): unknown[] {
  return models.map((model) => {
    const { inputTokens, outputTokens } = outcomes.get(model) ?? {};
    return [inputTokens, outputTokens];
  });
}

/** A judge's labels, with those of people beside them, decide another verdict than the same numbers by people. Nothing without a judge. */
function judgesPart({ outcomes }: Case, models: readonly string[]): unknown[] {
  const labels = models.map((model) => {
    const outcome = outcomes.get(model);
    return [outcome?.labelSource === 'judge', outcome?.judgedQuality];
  });
  const isJudged = labels.some(([isJudges, judged]) => isJudges || judged !== undefined);
  return isJudged ? [{ judged: labels }] : [];
}

function digits(text: string): string {
  return hash('sha256', text, 'hex').slice(0, HEX_DIGITS);
}

function toNumber(hex: string): number {
  return Number.parseInt(hex, 16);
}

/** A sorted column. */
export type SortedSet = Float64Array;

/** The distinct questions of the cases, by key and by text. @param chosen indices of the cases; all of them unless given */
export function questionsOf({ keys, texts }: CaseFingerprints, chosen?: Uint32Array): SortedSet {
  return distinct([keys, texts], chosen);
}

/** What the record keeps of the questions: by key, by text and by copy. */
export function recordedQuestionsOf(
  { keys, texts, copies }: CaseFingerprints,
  chosen: Uint32Array,
): SortedSet {
  return distinct([keys, texts, copies], chosen);
}

/** What the record of looks keeps of hard cases, so that one that was edited is known by its id and one under another id by its text. */
export interface HardCaseFingerprints {
  /** Hashes of the ids, sorted. */
  readonly ids: Float64Array;
  /** By text and by copy. */
  readonly questions: SortedSet;
}

export function fingerprintHardCases(
  cases: readonly { readonly id: string; readonly text: string }[],
): HardCaseFingerprints {
  const columnOf = (hashed: (one: (typeof cases)[number]) => string) =>
    Float64Array.from(cases, (one) => toNumber(digits(hashed(one))));
  return {
    ids: columnOf(({ id }) => `hard case ${id}`).sort(),
    questions: distinct([
      columnOf(({ text }) => text),
      columnOf(({ text }) => `copy ${copyHashes(text).copyHash}`),
    ]),
  };
}

/** The copies of the cases, sorted; doubles stay, since each case counts. */
export function copiesOf({ copies }: CaseFingerprints, chosen?: Uint32Array): Float64Array {
  return (chosen === undefined ? copies.slice() : Float64Array.from(chosen, (at) => copies[at]!)).sort();
}

function distinct(columns: readonly Float64Array[], chosen?: Uint32Array): SortedSet {
  const n = chosen?.length ?? columns[0]!.length;
  const all = new Float64Array(columns.length * n);
  for (const [c, column] of columns.entries()) {
    for (let i = 0; i < n; i++) all[c * n + i] = column[chosen?.[i] ?? i]!;
  }
  all.sort();
  let kept = 0;
  for (const value of all) {
    if (kept === 0 || all[kept - 1] !== value) all[kept++] = value;
  }
  return all.subarray(0, kept);
}

/** The contents of some cases, sorted; doubles stay. */
export function contentsOf({ contents }: CaseFingerprints, chosen: Uint32Array): Float64Array {
  return Float64Array.from(chosen, (at) => contents[at]!).sort();
}

export function overlaps(a: SortedSet, b: SortedSet): boolean {
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) return true;
    if (a[i]! < b[j]!) i += 1;
    else j += 1;
  }
  return false;
}

/** How many of the values, sorted, are in the set. */
export function countIn(values: Float64Array, set: SortedSet): number {
  let count = 0;
  for (let i = 0, j = 0; i < values.length && j < set.length; ) {
    if (values[i]! > set[j]!) j += 1;
    else if (values[i++] === set[j]) count += 1;
  }
  return count;
}

/** Finds cases by their contents, each case once. */
export class CaseIndex {
  readonly #contents: Float64Array;
  /** Indices of the cases in the order of their contents. */
  readonly #order: Uint32Array;

  constructor({ contents }: CaseFingerprints) {
    this.#contents = contents;
    this.#order = ascendingOrder(contents);
  }

  /**
   * The batch of each case: 0 for those of the first batch, and so on; `batches.length` for the cases that are in none.
   * @param batches the contents of each batch, sorted
   * @returns undefined if a content of a batch has no case left
   */
  batchOf(batches: readonly Float64Array[]): Uint32Array | undefined {
    const none = batches.length;
    const found = new Uint32Array(this.#order.length).fill(none);
    for (const [batch, contents] of batches.entries()) {
      let position = 0;
      let before: number | undefined;
      for (const content of contents) {
        position = content === before ? position + 1 : this.#first(content);
        before = content;
        while (this.#contentAt(position) === content && found[this.#order[position]!] !== none) position += 1;
        if (this.#contentAt(position) !== content) return undefined;
        found[this.#order[position]!] = batch;
      }
    }
    return found;
  }

  #contentAt(position: number): number | undefined {
    const at = this.#order[position];
    return at === undefined ? undefined : this.#contents[at];
  }

  /** The first position whose content is not smaller. */
  #first(content: number): number {
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#contents[this.#order[middle]!]! < content) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** As 6 bytes each, big-endian. */
export function encodeColumn(values: Float64Array): Uint8Array {
  const bytes = Buffer.alloc(values.length * BYTES);
  values.forEach((value, i) => {
    bytes.writeUIntBE(value, i * BYTES, BYTES);
  });
  return bytes;
}

/** Undefined if the bytes are no column. */
export function decodeColumn(column: Uint8Array): Float64Array | undefined {
  if (column.length % BYTES !== 0) return undefined;
  const bytes = Buffer.from(column.buffer, column.byteOffset, column.length);
  return Float64Array.from({ length: bytes.length / BYTES }, (_, i) => bytes.readUIntBE(i * BYTES, BYTES));
}
