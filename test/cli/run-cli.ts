import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
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
  const loader = script.endsWith('.ts') ? ['--import', TSX] : [];
  return spawn(process.execPath, [...loader, script, ...args], { cwd, env: environment(env) });
}

/** That of the tests without what configures Plimsoll, and with these variables. */
function environment(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PLIMSOLL_'));
  return { ...Object.fromEntries(inherited), ...env };
}

/**
 * Runs it to its end. A command is a process of its own the first time that a worker of the tests runs it, when it reads stdin, when it gets
 * options of Node or other weights, which are read once, and while another runs; else it runs in a process that has loaded its modules already (command-runner.mjs).
 */
export function cli(args: readonly string[], { stdin = '', ...rest }: Surroundings = {}): Promise<Ended> {
  const command = args[0] ?? '';
  const isFirst = !known.has(command) && !args.includes('--help');
  const changesProcess = ['NODE_OPTIONS', 'PLIMSOLL_WEIGHTS_DIR'].some((name) => name in (rest.env ?? {}));
  const needsProcess = isFirst || isBusy || stdin.length > 0 || changesProcess;
  if (!needsProcess) return runWarm(args, rest);
  known.add(command);
  const child = startCli(args, rest);
  child.stdin.on('error', () => {}); // it may end before it has read everything
  child.stdin.end(stdin);
  return ended(child);
}

const known = new Set<string>();
let isBusy = false;
let runner: ChildProcess | undefined;

async function runWarm(args: readonly string[], { env, cwd = ELSEWHERE }: Surroundings): Promise<Ended> {
  isBusy = true;
  runner ??= startRunner();
  const child = runner;
  const end = `end of ${randomUUID()}\n`;
  const output = [child.stdout!, child.stderr!].map((stream) => textUntil(stream, end));
  const answered = new Promise<Pick<Ended, 'code' | 'signal'>>((resolve) => {
    child.once('message', (code: number) => resolve({ code, signal: null }));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  child.send({ script: CLI, args, cwd, env: environment(env), end });
  try {
    const how = await answered;
    const [stdout, stderr] = await Promise.all(output);
    return { ...how, stdout: stdout!, stderr: stderr! };
  } finally {
    for (const event of ['message', 'data', 'close']) {
      for (const emitter of [child, child.stdout!, child.stderr!]) emitter.removeAllListeners(event);
    }
    if (child.exitCode !== null || child.signalCode !== null) runner = undefined;
    isBusy = false;
  }
}

/** It ends with this process, and does not keep it. */
function startRunner(): ChildProcess {
  const script = fileURLToPath(new URL('command-runner.mjs', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  for (const one of [child, child.channel, child.stdout, child.stderr] as { unref(): void }[]) one.unref();
  return child;
}

/** What a stream says before a line, or before it closes. */
function textUntil(stream: NodeJS.ReadableStream, end: string): Promise<string> {
  const text = collected(stream);
  return new Promise((resolve) => {
    stream.on('data', () => {
      if (text().endsWith(end)) resolve(text().slice(0, -end.length));
    });
    stream.once('close', () => resolve(text()));
  });
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

/** It went well; what it says on stdout. */
export function stdoutOf({ code, stdout, stderr }: Ended): string {
  expect(code, stderr).toBe(0);
  return stdout;
}

/** It went well; the answer is its stdout, read as JSON. */
export function jsonOf(ended: Ended) {
  return JSON.parse(stdoutOf(ended));
}

/** It was refused: exit code, nothing on stdout, and what stderr says ends with one message without a stack trace. */
export function expectRefusal({ code, stdout, stderr }: Ended, message: RegExp, exitCode = 1): void {
  expect(stderr).toMatch(message);
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
  expect(stderr.match(/^plimsoll: /gm)).toHaveLength(1);
  expect(stderr).not.toMatch(/^\s+at |should not happen|node:internal/m);
}
