import { spawn } from 'node:child_process';

export interface ProgramOptions {
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Bytes of address space, if the system has `ulimit -v`; undefined: no limit. */
  readonly memoryMb?: number | undefined;
  /** Bytes of its output that are kept; 64 KiB by default. */
  readonly mostStdout?: number;
}

export interface Ran {
  /** `late`: it was killed at the deadline; `unstarted`: there is no such program. */
  readonly kind: 'ended' | 'late' | 'unstarted';
  /** Null if a signal ended it. */
  readonly code: number | null;
  /** Its beginning. */
  readonly stdout: string;
}

const MOST_STDOUT = 65_536;

/**
 * Runs a program in a process group of its own, which is killed as a whole at the deadline and when the program has ended. It gets PATH, a HOME
 * in its folder, and no other variable: keys are there.
 */
export function runProgram({
  command,
  timeoutMs,
  cwd,
  stdin = '',
  memoryMb,
  mostStdout = MOST_STDOUT,
}: ProgramOptions): Promise<Ran> {
  const [program = '', ...args] = limited(command, memoryMb);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stdout = () => Buffer.concat(chunks).toString('utf8', 0, mostStdout);
    let late = false;
    const child = spawn(program, args, {
      ...(cwd !== undefined && { cwd }),
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
      env: { PATH: process.env['PATH'], ...(cwd !== undefined && { HOME: cwd }) },
    });
    const timer = setTimeout(() => {
      late = true;
      killGroup(child.pid);
      child.stdout.destroy(); // a process that has left the group may hold it open for ever
    }, timeoutMs);
    const end = (ran: Ran) => {
      clearTimeout(timer);
      killGroup(child.pid);
      resolve(ran);
    };
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(stdin);
    child.stdout.on('data', (chunk: Buffer) => {
      if (size < mostStdout) chunks.push(chunk);
      size += chunk.length;
    });
    child.on('error', () => end({ kind: 'unstarted', code: null, stdout: '' }));
    child.on('exit', () => killGroup(child.pid)); // what it started may keep its output open
    child.on('close', (code) => end({ kind: late ? 'late' : 'ended', code, stdout: stdout() }));
  });
}

function limited(command: readonly string[], memoryMb: number | undefined): readonly string[] {
  if (memoryMb === undefined || process.platform === 'win32') return command;
  return ['/bin/sh', '-c', `ulimit -v ${memoryMb * 1024} 2>/dev/null; exec "$@"`, 'sh', ...command];
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {} // all of it is gone
}
