import { basename } from 'node:path';
import type { ParsedRow } from './case.ts';

/**
 * The ids of a file's rows: their own, or file and line, such as `cases.jsonl:17`. The second row without an id on one line, as in an array,
 * is `cases.jsonl:17#2`.
 */
export class RowIds {
  readonly #file: string;
  /** In the long layout: the id of each prompt. */
  readonly #byPrompt = new Map<string, string>();
  /** The line of the last row without an id, and how many such rows it has had. */
  #line = 0;
  #onLine = 0;

  constructor(file: string) {
    this.#file = basename(file).replace(/\.gz$/i, '');
  }

  /** @param long whether rows of one prompt are one case, which has the line of its first row */
  resolve(row: ParsedRow, line: number, long: boolean): string {
    if (row.id != null) return String(row.id);
    const prompt = long ? promptId(row) : undefined;
    const known = prompt === undefined ? undefined : this.#byPrompt.get(prompt);
    if (known !== undefined) return known;
    this.#onLine = line === this.#line ? this.#onLine + 1 : 1;
    this.#line = line;
    const id = `${this.#file}:${line}${this.#onLine === 1 ? '' : `#${this.#onLine}`}`;
    if (prompt !== undefined) this.#byPrompt.set(prompt, id);
    return id;
  }
}

/** Identifies the prompt of a row within its file: by its id, or without one by prompt and context. */
export function promptId({ id, prompt, messages, context }: ParsedRow): string {
  return id == null ? JSON.stringify([prompt, messages, context]) : `id ${id}`;
}
