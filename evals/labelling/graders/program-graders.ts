import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { countIn, isObject, parseJson } from '../../../router/json/index.ts';
import { type Grade, type Grader, graded, missing, type ReplySample } from './grader.ts';
import { codeIn } from './json-graders.ts';
import { isNear } from './number-grader.ts';
import { type Ran, runProgram } from './run-program.ts';

const command = z.tuple([z.string().min(1)], z.string()).describe('A program and its arguments; no shell.');
const timeout_ms = z
  .int()
  .min(10)
  .max(600_000)
  .default(10_000)
  .describe('Then it is killed with all that it started.');
/** No path: it is written into the folder of one run. */
const fileName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be a plain name of a file, such as solution.py');

export const codeSchema = z.strictObject({
  type: z.literal('code'),
  command: command.describe(
    'Runs the tests in a folder of its own; exit code 0: they passed. For example a container.',
  ),
  file: fileName
    .default('solution.py')
    .describe("Where the reply's code is written: its first block of code, or all of it."),
  tests_file: fileName.default('tests.py').describe("Where the row's reference is written, if it is a text."),
  timeout_ms,
  memory_mb: z.int().min(16).max(1_000_000).optional().describe('Limit of address space (ulimit -v).'),
});
export const commandSchema = z.strictObject({ type: z.literal('command'), command, timeout_ms });
export const httpSchema = z.strictObject({
  type: z.literal('http'),
  url: z.url({ protocol: /^https?$/, error: 'must be an address with http or https' }),
  timeout_ms,
});
export const sqlSchema = z.strictObject({
  type: z.literal('sql'),
  database: z.string().min(1).describe('A SQLite file, which is opened for reading.'),
  ordered: z.boolean().default(false).describe('Whether the order of the rows counts.'),
  timeout_ms,
});

/**
 * Runs the code of a reply against tests, by a command that the operator names. The code runs with the rights of this process: a command that starts
 * a container is what keeps it away from the machine.
 */
export function codeGrader(options: z.output<typeof codeSchema>): Grader {
  const { command: tests, file, tests_file: testsFile, timeout_ms: timeoutMs, memory_mb: memoryMb } = options;
  return {
    type: 'code',
    needsReference: false,
    async grade({ reply, reference }) {
      const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-code-'));
      try {
        writeFileSync(path.join(folder, file), codeIn(reply));
        if (typeof reference === 'string') writeFileSync(path.join(folder, testsFile), reference);
        const ran = await runProgram({ command: tests, timeoutMs, cwd: folder, memoryMb });
        // Code that does not end, or takes all memory, has not passed.
        return ran.kind === 'unstarted' ? notStarted(tests) : graded(ran.kind === 'ended' && ran.code === 0);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** The operator's own program: gets the sample as JSON, prints a number from 0 to 1; or nothing, and its exit code 0 or 1 says right or wrong. */
export function commandGrader({
  command: own,
  timeout_ms: timeoutMs,
}: z.output<typeof commandSchema>): Grader {
  return {
    type: 'command',
    needsReference: false,
    async grade(sample) {
      const ran = await runProgram({ command: own, timeoutMs, stdin: sampleJson(sample) });
      return ran.kind === 'unstarted' ? notStarted(own) : gradeFrom(ran);
    },
  };
}

function gradeFrom({ kind, code, stdout }: Ran): Grade {
  if (kind === 'late') return missing('the command took longer than timeout_ms');
  const text = stdout.trim();
  if (code === 0 && text !== '') {
    const quality = Number(text);
    return quality >= 0 && quality <= 1
      ? graded(quality)
      : missing('the command printed no number from 0 to 1');
  }
  if (code === 0 || code === 1) return graded(code === 0);
  return missing(code === null ? 'the command was killed' : `the command ended with code ${code}`);
}

function notStarted([program]: readonly string[]): Grade {
  return missing(`the command ${program} cannot be started`);
}

function sampleJson({ caseId, task, prompt, candidate, model, reply, reference }: ReplySample): string {
  return JSON.stringify({ case: caseId, task, prompt, candidate, model, reply, reference });
}

/** The operator's own service: gets the sample as JSON, responds with `{"quality": 0.5}`, or null if it cannot say. */
export function httpGrader({ url, timeout_ms: timeoutMs }: z.output<typeof httpSchema>): Grader {
  const { host } = new URL(url);
  return {
    type: 'http',
    needsReference: false,
    async grade(sample) {
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: sampleJson(sample),
          redirect: 'manual',
          signal: AbortSignal.timeout(timeoutMs),
        });
        const text = await response.text();
        if (!response.ok) return missing(`${host} responded with ${response.status}`);
        const quality = countIn(parseJson(text), 'quality');
        return quality !== undefined && quality <= 1
          ? graded(quality)
          : missing(`${host} gave no quality from 0 to 1`);
      } catch (error) {
        const late = error instanceof Error && error.name === 'TimeoutError';
        return missing(late ? `${host} took longer than timeout_ms` : `${host} cannot be reached`);
      }
    },
  };
}

/** Queries are compared up to this many rows, and this much of their JSON. */
const MOST_ROWS = 10_000;
const MOST_SQL_BYTES = 32 * 1024 * 1024;

/**
 * The program of the child process that runs two queries: a query that does not end can be killed with its process alone. It reads
 * `{ libsql, database, queries, mostRows }` and prints the rows of each, or null for a query that fails.
 */
const SQL_PROGRAM = `
let text = '';
process.stdin.on('data', (chunk) => { text += chunk; }).on('end', () => {
  const { libsql, database, queries, mostRows } = JSON.parse(text);
  const Database = require(libsql);
  const open = new Database(database, { readonly: true });
  open.exec('PRAGMA query_only = ON');
  const rowsOf = (query) => {
    try {
      const rows = [];
      for (const row of open.prepare(query).raw().iterate()) {
        if (rows.push(row.map((value) => typeof value === 'bigint' ? Number(value) : Buffer.isBuffer(value) ? value.toString('hex') : value)) > mostRows) return null;
      }
      return rows;
    } catch { return null; }
  };
  process.stdout.write(JSON.stringify(queries.map(rowsOf)));
});`;

/** The reply's query gives the rows of the reference's on a SQLite file. */
export function sqlGrader({ database, ordered, timeout_ms: timeoutMs }: z.output<typeof sqlSchema>): Grader {
  const libsql = createRequire(import.meta.url).resolve('libsql');
  const run = async (queries: readonly string[]) => {
    const stdin = JSON.stringify({ libsql, database: path.resolve(database), queries, mostRows: MOST_ROWS });
    return runProgram({
      command: [process.execPath, '-e', SQL_PROGRAM],
      timeoutMs,
      stdin,
      mostStdout: MOST_SQL_BYTES,
    });
  };
  return {
    type: 'sql',
    needsReference: true,
    async grade({ reply, reference }) {
      if (typeof reference !== 'string') return missing('the reference must be a query');
      const expected = rowsFrom(await run([reference]))?.[0];
      if (!Array.isArray(expected))
        return missing("the reference's query fails on the database, or takes too long");
      const given = rowsFrom(await run([codeIn(reply).trim()]))?.[0];
      return graded(Array.isArray(given) && sameRows(expected, given, ordered));
    },
  };
}

/** Undefined if the process was killed, or printed more than is read. */
function rowsFrom({ kind, code, stdout }: Ran): readonly unknown[] | undefined {
  const rows = kind === 'ended' && code === 0 ? parseJson(stdout) : undefined;
  return Array.isArray(rows) ? rows : undefined;
}

function sameRows(expected: readonly unknown[], given: readonly unknown[], ordered: boolean): boolean {
  if (expected.length !== given.length) return false;
  const inOrder = (rows: readonly unknown[]) => (ordered ? rows : rows.toSorted(byText));
  const others = inOrder(given);
  return inOrder(expected).every((row, i) => sameRow(row, others[i]));
}

function byText(a: unknown, b: unknown): number {
  const [left, right] = [rounded(a), rounded(b)];
  return left < right ? -1 : Number(left > right);
}

/** So that sums that differ in their last digits have one place in the order. */
function rounded(row: unknown): string {
  return JSON.stringify(row, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value,
  );
}

function sameRow(row: unknown, other: unknown): boolean {
  if (!Array.isArray(row) || !Array.isArray(other) || row.length !== other.length) return false;
  return row.every((value, i) =>
    typeof value === 'number' && typeof other[i] === 'number'
      ? isNear(other[i], value, 0)
      : !isObject(value) && value === other[i],
  );
}
