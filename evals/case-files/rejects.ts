import type { z } from 'zod';
import { PlimsollError } from '../../router/errors.ts';
import { openReplacement, type Replacement } from '../../router/files/index.ts';

/** Thrown for one row that cannot be used: it becomes a RejectedRow, and reading goes on. */
export class BadRow extends Error {
  /** The path within the row, for example outcomes.gpt-4o.quality. */
  readonly field: string | undefined;
  /** What is wrong with it. Never quotes a prompt. */
  readonly reason: string;

  constructor(reason: string, field?: string) {
    super(field === undefined ? reason : `${field}: ${reason}`);
    this.name = 'BadRow';
    this.field = field;
    this.reason = reason;
  }

  /** The same error, naming the element of an array when the line alone does not identify the row. */
  inElement(element: number | undefined): BadRow {
    if (element === undefined) return this;
    return new BadRow(`${this.reason} (element ${element} of the array)`, this.field);
  }
}

/** The result of `read`, or the BadRow that it throws. */
export function catchBadRow<T>(read: () => T): T | BadRow {
  try {
    return read();
  } catch (error) {
    if (error instanceof BadRow) return error;
    throw error;
  }
}

/**
 * Checks a row against a schema.
 * @param parent the path of the value within its row
 * @throws BadRow: the first issue. Zod's messages name types and limits, never a value; unknown keys may be prompts in the wrong place.
 */
export function parseRow<T extends z.ZodType>(schema: T, value: unknown, parent?: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) throw new BadRow('not valid', parent);
  const path = [...(parent === undefined ? [] : [parent]), ...issue.path.map(String)];
  const reason =
    issue.code === 'unrecognized_keys' ? `has no field ${shownNames(issue.keys)}; remove it` : issue.message;
  throw new BadRow(reason, path.length === 0 ? undefined : path.join('.'));
}

/** A row that was not used. Never holds prompt text. */
export interface RejectedRow {
  readonly file: string;
  /** The physical line in the file, from 1. */
  readonly line: number;
  readonly field?: string;
  readonly reason: string;
}

/** Rows that were rejected for one reason: how many, and the first of them. */
export interface RejectKind {
  count: number;
  readonly first: RejectedRow[];
}

/** Rejected rows that are kept in memory; all of them are counted and written. */
const REJECTS_KEPT = 1000;
/** Rejected rows of one kind that a message shows. */
const SHOWN_PER_KIND = 3;
/** Kinds that a message shows. */
const SHOWN_KINDS = 5;
/** Kinds beyond this number are counted as one. */
const MOST_KINDS = 100;
/** One bad row in fifty. If there are more, the file as a whole is at fault. */
const DEFAULT_MAX_REJECT_SHARE = 0.02;

/** Counts the rejected rows, keeps the first of them and writes each as a line of JSON. */
export class RejectLog {
  readonly kept: RejectedRow[] = [];
  readonly #kinds = new Map<string, RejectKind>();
  #count = 0;
  readonly #file: Replacement | undefined;

  /**
   * @param file where to write; `close` replaces an older file, also when no row was rejected
   * @throws PlimsollError `io`
   */
  constructor(file: string | undefined) {
    this.#file = file === undefined ? undefined : openReplacement(file, { what: 'the rejected rows to' });
  }

  get count(): number {
    return this.#count;
  }

  /** By reason, the most frequent first. */
  get kinds(): readonly RejectKind[] {
    return [...this.#kinds.values()].sort((a, b) => b.count - a.count);
  }

  /** The first rejected rows of each kind, one a line. */
  get lines(): string[] {
    return rejectLines(this.kinds);
  }

  /** Sentences that may explain why. */
  get hints(): string[] {
    return scaleHints(this.kinds);
  }

  add(file: string, line: number, { field, reason }: BadRow): RejectedRow {
    const row: RejectedRow = {
      file,
      line,
      ...(field !== undefined && { field: shownName(field) }),
      reason,
    };
    this.#countKind(row);
    this.#count += 1;
    if (this.kept.length < REJECTS_KEPT) this.kept.push(row);
    this.#file?.write(`${JSON.stringify(row)}\n`);
    return row;
  }

  /**
   * @param maxShare of the rows that were read; default 0.02
   * @param hints sentences that may explain why, such as names that were not read
   * @throws PlimsollError 'invalid-input' if more of them were rejected
   */
  requireFew(read: number, maxShare = DEFAULT_MAX_REJECT_SHARE, hints: readonly string[] = []): void {
    const [first] = this.kept;
    if (first === undefined || this.#count / read <= maxShare) return;
    const { file, line, field } = first;
    throw new PlimsollError(
      'invalid-input',
      [
        `${this.#count} of ${read} rows (${percent(this.#count / read)}) were rejected; ${percent(maxShare)} are allowed.`,
        ...this.lines,
        ...this.hints,
        ...hints,
        'Fix these rows, or take them out of the file. --max-rejects raises the limit, but not at the gate: what it left out might be the hard cases.',
      ].join('\n'),
      { place: { file, line, ...(field !== undefined && { field }) } },
    );
  }

  /** @throws PlimsollError `io` */
  close(): void {
    this.#file?.commit();
  }

  #countKind(row: RejectedRow): void {
    const own = rejectKind(row);
    const name = this.#kinds.has(own) || this.#kinds.size < MOST_KINDS ? own : '';
    const kind = this.#kinds.get(name) ?? { count: 0, first: [] };
    this.#kinds.set(name, kind);
    kind.count += 1;
    if (kind.first.length < SHOWN_PER_KIND) kind.first.push(row);
  }
}

/** Rows whose reasons differ by a number alone, such as the number of their cells, are of one kind. */
function rejectKind({ field = '', reason }: RejectedRow): string {
  const bare = reason.replace(/, is .*$/, '').replace(/-?\d+(\.\d+)?(e[+-]?\d+)?/gi, '#');
  return `${field.replace(/\.\d+(?=\.|$)/g, '.#')}: ${bare}`;
}

/** The first rejected rows of each kind, one a line. */
export function rejectLines(kinds: readonly RejectKind[]): string[] {
  const lines = kinds
    .slice(0, SHOWN_KINDS)
    .flatMap(({ count, first }) => [
      ...first.map(rejectLine),
      ...(count > first.length ? [`  and ${count - first.length} more of this kind`] : []),
    ]);
  const others = kinds.slice(SHOWN_KINDS).reduce((sum, { count }) => sum + count, 0);
  return others > 0 ? [...lines, `  and ${others} of ${kinds.length - SHOWN_KINDS} other kinds`] : lines;
}

function rejectLine({ file, line, field, reason }: RejectedRow): string {
  return `  ${file}:${line}: ${field === undefined ? '' : `${field}: `}${reason}`;
}

/** What a case says about a reply besides its quality has one scale, whatever that of the qualities is. */
const REPLY_FIELD = /\.(confidence_logprob|signals\.[^.]+)$/;
const OFF_SCALE = /^must be (on a scale|a number from|TRUE or FALSE|a percentage)/;

function scaleHints(kinds: readonly RejectKind[]): string[] {
  const isOffScale = kinds.some(({ first }) =>
    first.some(({ field = '', reason }) => OFF_SCALE.test(reason) && !REPLY_FIELD.test(field)),
  );
  return isOffScale
    ? [
        'If the qualities are on another scale, name it: --quality-scale 0-100, 1-5, boolean, percent or any LOW-HIGH.',
      ]
    : [];
}

/** Enough digits that a share above the limit never looks equal to it. */
function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

const LONGEST_SHOWN = 80;
const MOST_WORDS = 4;
const MOST_NAMES = 12;

/**
 * A name from the data, safe to show in a message. What is too long or has too many words for a name may be a prompt in the wrong
 * column, and is only described.
 */
export function shownName(name: string): string {
  const words = name.trim().split(/\s+/);
  if (name.length <= LONGEST_SHOWN && words.length <= MOST_WORDS && !/[\p{Cc}\u2028\u2029]/u.test(name))
    return name;
  return `(a text of ${name.length} characters)`;
}

/** Up to twelve names, each as by shownName. */
export function shownNames(names: readonly string[]): string {
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  return `${names.slice(0, MOST_NAMES).map(shownName).join(', ')}${more}`;
}
