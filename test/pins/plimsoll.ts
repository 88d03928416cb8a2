import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { ROOT } from './pinned.ts';

const CLI = path.join(ROOT, 'dist/scripts/cli.js');

const cleanUps: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

/** A folder that is removed when the test file is done. */
export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-pins-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `plimsoll` in `cwd`, which keeps paths of the machine out of what it prints. */
export async function plimsoll(args: readonly string[], cwd: string): Promise<Ended> {
  const child = start(args, cwd);
  child.stdin!.end();
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, ...output };
}

/**
 * Starts `plimsoll serve` on a free port, until the test file is done.
 * @returns the address that it listens on
 */
export async function serve(
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<string> {
  const child = start(['serve', '--port', '0', ...args], cwd, env);
  const ended = once(child, 'close');
  cleanUps.push(() => {
    child.kill('SIGTERM');
    return ended;
  });
  let log = '';
  child.stdout!.resume();
  return new Promise((resolve, reject) => {
    child.stderr!.setEncoding('utf8').on('data', (text) => {
      log += text;
      const [, url] = /listens on (http:[^"\s]*)/.exec(log) ?? [];
      if (url !== undefined) resolve(url);
    });
    child.once('close', () => reject(new Error(`plimsoll serve ended:\n${log}`)));
  });
}

/** Environment variables that would change what is pinned. */
const CHANGES_BEHAVIOUR = /^(PLIMSOLL_|OTEL_|PORT$|NODE_OPTIONS$|.*_API_KEY$|GITHUB_)/;

function start(args: readonly string[], cwd: string, env: Record<string, string> = {}): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !CHANGES_BEHAVIOUR.test(name));
  return spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
  });
}
