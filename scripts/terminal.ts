import { fstatSync, statSync } from 'node:fs';
import { devNull } from 'node:os';
import type { OnProgress } from '../evals/lifecycle/index.ts';
import { writeAll, writeFailure } from '../router/files/index.ts';

const STDOUT = 1;

/**
 * Prints a result on stdout, all of it. Node's own stream ignores that a full disk takes only a part of what goes to a file.
 * @throws PlimsollError `io` if stdout is a file or a device that does not take it
 */
export function print(text: string): void {
  const stdout = fstatSync(STDOUT);
  if (process.stdout.isTTY || stdout.isFIFO() || stdout.isSocket()) {
    process.stdout.write(text);
    return;
  }
  printNow(text);
}

/**
 * Prints on stdout before it returns, also to a pipe.
 * @throws PlimsollError `io` if stdout does not take all of it: a full disk, a pipe that nobody reads
 */
export function printNow(text: string): void {
  try {
    writeAll(STDOUT, text);
  } catch (cause) {
    throw writeFailure('the result to standard output', 'stdout', cause);
  }
}

/** Whether stdout is the null device: Node opens it where stdout is closed. */
export function showsNothing(): boolean {
  const stdout = fstatSync(STDOUT);
  return process.platform !== 'win32' && stdout.isCharacterDevice() && stdout.rdev === statSync(devNull).rdev;
}

/** The result for machines: one JSON document on stdout. */
export function printJson(value: unknown): void {
  print(`${JSON.stringify(value, null, 2)}\n`);
}

/** What a person should know besides the result, a line each on stderr. */
export function printNotes(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${line}\n`);
}

/** Such as `1 entry` and `2 entries`. @param several by default `one` with an s */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** An amount of US dollars for people: cents from a dollar on, below it two digits that say something. */
export function dollars(usd: number): string {
  return `$${usd >= 0.995 || usd === 0 ? usd.toFixed(2) : usd.toPrecision(2)}`;
}

/** Shows the progress of the library's functions on stderr. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr): OnProgress {
  let current: { readonly step: string; readonly line: ProgressLine } | undefined;
  return ({ step, done, total, summary }) => {
    if (current?.step !== step) current = { step, line: startProgress(step, stream) };
    if (done !== undefined) current.line.update(done, total);
    if (summary === undefined) return;
    current.line.end(summary);
    current = undefined;
  };
}

/** How far long work has come: one line that is redrawn on a terminal, a line every few seconds elsewhere. */
interface ProgressLine {
  /** @param note what else is to be shown, with what parts it from the rest */
  update(done: number, total?: number, note?: string): void;
  /** Ends the line; `summary` stays. */
  end(summary?: string): void;
}

const REDRAW_MS = 100;
const LINE_MS = 5_000;

export function startProgress(label: string, stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  const startedMs = performance.now();
  let drawnMs = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    update(done, total, note = '') {
      const nowMs = performance.now();
      if (nowMs - drawnMs < (stream.isTTY ? REDRAW_MS : LINE_MS)) return;
      if (!stream.isTTY && drawnMs === Number.NEGATIVE_INFINITY) {
        drawnMs = nowMs; // short work stays silent if lines cannot be redrawn
        return;
      }
      drawnMs = nowMs;
      drawn = true;
      const share = total ? ` of ${total} (${Math.floor((100 * done) / total)} %)` : '';
      const line = `${label}: ${done}${share}${note}`;
      stream.write(stream.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
    },
    end(summary) {
      if (drawn && stream.isTTY) stream.write('\r\x1b[K');
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      if (summary !== undefined) stream.write(`${label}: ${summary} (${seconds} s)\n`);
    },
  };
}
