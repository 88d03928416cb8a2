import { openReplacement, type Replacement } from '../../router/files/index.ts';
import type { BadRow } from './bad-row.ts';

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

/** Counts the rejected rows, keeps the first and writes each as a line of JSON as it comes. */
export class RejectLog {
  readonly kept: RejectedRow[] = [];
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

  add(file: string, line: number, { field, reason }: BadRow): void {
    const row: RejectedRow = { file, line, ...(field !== undefined && { field }), reason };
    this.#count += 1;
    if (this.kept.length < REJECTS_KEPT) this.kept.push(row);
    this.#file?.write(`${JSON.stringify(row)}\n`);
  }

  /** @throws PlimsollError `io` */
  close(): void {
    this.#file?.commit();
  }
}
