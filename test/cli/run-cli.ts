import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** The built command: vitest's global setup builds it if a source has changed. */
export const CLI = fileURLToPath(new URL('../../dist/scripts/cli.js', import.meta.url));
const TSX = import.meta.resolve('tsx');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly stdin?: string | Buffer;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

const scratch: string[] = [];
process.once('exit', () => {
  for (const folder of scratch) rmSync(folder, { recursive: true, force: true });
});

/** A folder of its own, gone when the process ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-cli-'));
  scratch.push(folder);
  return folder;
}

const ELSEWHERE = scratchFolder();

/** `plimsoll` with these arguments as a process of its own, in an empty folder unless told otherwise. */
export function startCli(
  args: readonly string[],
  { env, cwd = ELSEWHERE }: Omit<Surroundings, 'stdin'> = {},
  script = CLI,
): ChildProcessWithoutNullStreams {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PLIMSOLL_'));
  const loader = script.endsWith('.ts') ? ['--import', TSX] : [];
  return spawn(process.execPath, [...loader, script, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
  });
}

/** Runs it to its end. */
export function cli(args: readonly string[], { stdin = '', ...rest }: Surroundings = {}): Promise<Ended> {
  const child = startCli(args, rest);
  child.stdin.on('error', () => {}); // it may end before it has read everything
  child.stdin.end(stdin);
  return ended(child);
}

export function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const [stdout, stderr] = [collected(child.stdout), collected(child.stderr)];
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout: stdout(), stderr: stderr() }));
  });
}

/** Resolves to what stderr says of the pattern, as soon as it does; rejects where the process ends before. */
export function told(child: ChildProcessWithoutNullStreams, pattern: RegExp): Promise<RegExpExecArray> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      text += chunk;
      const match = pattern.exec(text);
      if (match) resolve(match);
    });
    child.on('close', () => reject(new Error(`ended without a word of ${pattern}:\n${text}`)));
  });
}

function collected(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

/** It went well; the answer is its stdout, read as JSON. */
export function jsonOf({ code, stdout, stderr }: Ended) {
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** It was refused: exit code, nothing on stdout, and what stderr says ends with one message without a stack trace. */
export function expectRefusal({ code, stdout, stderr }: Ended, message: RegExp, exitCode = 1): void {
  expect(stderr).toMatch(message);
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
  expect(stderr.match(/^plimsoll: /gm)).toHaveLength(1);
  expect(stderr).not.toMatch(/^\s+at |should not happen|node:internal/m);
}
