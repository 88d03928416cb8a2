import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { PlimsollError } from '../errors.ts';
import { writeAll, writeFailure } from './write.ts';

/**
 * A file of JSON Lines to which lines are added, each on the disk before `append` returns. A process may be killed at any moment: a line
 * is there or it is not. One process at a time: see `holdLock`.
 */
export class SyncedLines {
  readonly file: string;
  /** The lines that were there when it was opened, without their ends. */
  readonly earlier: readonly string[];
  readonly #what: string;
  readonly #descriptor: number;
  /** Where the whole lines end, in bytes. */
  #end = 0;

  /**
   * Opens the file, or makes it with mode 600. A last line without an end was being written when a process was killed: it is left out, and
   * cut off when the next one is added.
   * @param what what the file is, for errors: `the journal`
   * @throws PlimsollError `io`, also if it is a pipe or a device
   */
  constructor(file: string, what: string) {
    this.file = file;
    this.#what = what;
    this.#descriptor = this.#orFailure(() => openSync(file, 'a+', 0o600));
    try {
      this.earlier = this.#orFailure(() => this.#read());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** @throws PlimsollError `io`; then nothing of the line is in the file */
  append(line: object): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    this.#orFailure(() => {
      if (fstatSync(this.#descriptor).size > this.#end) ftruncateSync(this.#descriptor, this.#end);
      try {
        writeAll(this.#descriptor, bytes);
        fsyncSync(this.#descriptor);
      } catch (error) {
        this.#cutOff();
        throw error;
      }
      this.#end += bytes.length;
    });
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Half a line on a full disk: the next line would be written behind it, once there is space again. */
  #cutOff(): void {
    try {
      ftruncateSync(this.#descriptor, this.#end);
    } catch {} // what failed before says more
  }

  #read(): string[] {
    if (!fstatSync(this.#descriptor).isFile())
      throw new PlimsollError('io', `${this.file} is no file, and cannot hold ${this.#what}. Name a file.`, {
        place: { file: this.file },
      });
    const bytes = readFileSync(this.file);
    this.#end = bytes.lastIndexOf('\n') + 1;
    return bytes.toString('utf8', 0, this.#end).split('\n').slice(0, -1);
  }

  #orFailure<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw writeFailure(`${this.#what} ${this.file}`, this.file, cause);
    }
  }
}
