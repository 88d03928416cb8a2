import { closeSync, openSync, writeSync } from 'node:fs';
import { PlimsollError } from '../../router/errors.ts';
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
  readonly #descriptor: number | undefined;

  /** @param file where to write; an older file is replaced, also when nothing gets rejected */
  constructor(file: string | undefined) {
    this.#descriptor = file === undefined ? undefined : opened(file);
  }

  get count(): number {
    return this.#count;
  }

  add(file: string, line: number, { field, reason }: BadRow): void {
    const row: RejectedRow = { file, line, ...(field !== undefined && { field }), reason };
    this.#count += 1;
    if (this.kept.length < REJECTS_KEPT) this.kept.push(row);
    if (this.#descriptor !== undefined) writeSync(this.#descriptor, `${JSON.stringify(row)}\n`);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }
}

function opened(file: string): number {
  try {
    return openSync(file, 'w');
  } catch (cause) {
    throw new PlimsollError('io', `${file}: the rejected rows cannot be written there.`, {
      place: { file },
      cause,
    });
  }
}
