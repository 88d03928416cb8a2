import { fstatSync } from 'node:fs';
import { writeAll, writeFailure } from '../router/files/index.ts';

const STDOUT = 1;

/**
 * Prints a result on stdout, all of it. Node's own stream ignores that a full disk takes only a part of what goes to a file.
 * @throws PlimsollError `io` if stdout is a file that does not take it
 */
export function print(text: string): void {
  if (!fstatSync(STDOUT).isFile()) {
    process.stdout.write(text);
    return;
  }
  try {
    writeAll(STDOUT, text);
  } catch (cause) {
    throw writeFailure('the result to standard output', 'stdout', cause);
  }
}

/** The result for machines: one JSON document on stdout. */
export function printJson(value: unknown): void {
  print(`${JSON.stringify(value, null, 2)}\n`);
}
