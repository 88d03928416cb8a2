import { openReplacement, type Replacement } from '../../router/files/index.ts';
import type { BadRow } from './bad-row.ts';
import { shownName } from './shown-name.ts';

/** A row that was not used. Never holds prompt text. */
export interface RejectedRow {
  readonly file: string;
  /** The physical line in the file, from 1. */
  readonly line: number;
  readonly field?: string;
  readonly reason: string;
}

/** Rejected rows held in memory; all of them are counted and written. */
export const REJECTS_KEPT = 1000;

/** Rows that were rejected for one reason: how many, and the first of them. */
export interface RejectKind {
  count: number;
  readonly first: RejectedRow[];
}

/** Rejected rows of one kind that a message shows. */
const SHOWN_OF_KIND = 3;
/** More kinds than this are counted as one. */
const MOST_KINDS = 100;

/** Counts the rejected rows, keeps the first and writes each as a line of JSON as it comes. */
export class RejectLog {
  readonly kept: RejectedRow[] = [];
  readonly #kinds = new Map<string, RejectKind>();
  #count = 0;
  readonly #file: Replacement | undefined;

  /**
   * @param file where to write; an older file is replaced at `close`, also when nothing gets rejected
   * @throws PlimsollError `io`
   */
  constructor(file: string | undefined) {
    this.#file = file === undefined ? undefined : openReplacement(file, { what: 'the rejected rows to' });
  }

  get count(): number {
    return this.#count;
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

  /** By reason, the commonest first. */
  get kinds(): readonly RejectKind[] {
    return [...this.#kinds.values()].sort((a, b) => b.count - a.count);
  }

  #countKind(row: RejectedRow): void {
    const own = kindOf(row);
    const name = this.#kinds.has(own) || this.#kinds.size < MOST_KINDS ? own : '';
    const kind = this.#kinds.get(name) ?? { count: 0, first: [] };
    this.#kinds.set(name, kind);
    kind.count += 1;
    if (kind.first.length < SHOWN_OF_KIND) kind.first.push(row);
  }

  /** @throws PlimsollError `io` */
  close(): void {
    this.#file?.commit();
  }
}

/** Rows that differ by a number alone, such as that of their cells, have one kind of fault. */
function kindOf({ field = '', reason }: RejectedRow): string {
  const bare = reason.replace(/, is .*$/, '').replace(/-?\d+(\.\d+)?(e[+-]?\d+)?/gi, '#');
  return `${field.replace(/\.\d+(?=\.|$)/g, '.#')}: ${bare}`;
}
