import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { PlimsollError } from '../../router/errors.ts';
import { quantile } from './measurement.ts';

/** A server in a process of its own. */
export interface StartedProcess {
  readonly pid: number;
  /** SIGTERM; resolves when the process has ended. */
  close(): Promise<void>;
  /** SIGKILL: an outage. */
  kill(): Promise<void>;
}

/** `plimsoll serve` without providers, which only decides. */
export interface RouteServer extends StartedProcess {
  readonly firstDecisionMs: number;
  decide(prompt: string): Promise<void>;
}

export interface MemoryWatch {
  /** Stops it; the samples in MB, in order. */
  end(): readonly number[];
}

interface Readiness {
  /** Rejects until the server is ready. */
  readonly probe: () => Promise<void>;
  readonly retryMs: number;
}

const COMPILED = fileURLToPath(new URL('../../dist/scripts/cli.js', import.meta.url));
const SOURCE = fileURLToPath(new URL('../cli.ts', import.meta.url));
const GIVE_UP_MS = 120_000;
const RETRY_MS = 20;
/** Short, since it is measured. */
const FIRST_DECISION_RETRY_MS = 2;
/** How much of a process's output is kept, for the error if it does not start. */
const LAST_CHARACTERS = 2_000;
/** The same on every Linux platform that Node supports. */
const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 250;

/** How to start a command: compiled if a build exists, else from its sources. */
export function commandLine(name: string): { readonly what: string; readonly args: readonly string[] } {
  if (existsSync(COMPILED)) return { what: `node dist/scripts/cli.js ${name}`, args: [COMPILED, name] };
  return {
    what: `tsx scripts/cli.ts ${name} (there is no dist)`,
    args: ['--import', 'tsx', SOURCE, name],
  };
}

export function serveCommand() {
  return commandLine('serve');
}

/** What a process took until it ended. */
export interface FinishedProcess {
  readonly stdout: string;
  readonly seconds: number;
  /** Processor time of all its threads, in seconds, except for the last eighth of a second; undefined without /proc. */
  readonly cpuSeconds: number | undefined;
  /** The most memory that it held, in MB (2^20 bytes). */
  readonly maxRssMb: number;
}

/**
 * Runs a Node process to its end.
 * @throws PlimsollError `internal` with its last output if it fails
 */
export async function runProcess(args: readonly string[]): Promise<FinishedProcess> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-LAST_CHARACTERS);
  });
  const pid = Number(child.pid);
  let [maxRssMb, cpu]: [number, number | undefined] = [0, undefined];
  const timer = setInterval(() => {
    maxRssMb = Math.max(maxRssMb, residentMb(pid, 'VmHWM') || 0); // it may have just ended
    cpu = cpuSeconds(pid) || cpu;
  }, SAMPLE_MS / 2);
  const [code] = await once(child, 'close');
  clearInterval(timer);
  const seconds = (performance.now() - startedMs) / 1000;
  if (code === 0) return { stdout, seconds, cpuSeconds: cpu, maxRssMb };
  throw new PlimsollError('internal', `${args.join(' ')} ended with ${code}. Its output: ${stderr}`);
}

/**
 * Starts a Node process and waits until its port responds to HTTP, with whatever status.
 * @throws PlimsollError `internal` with its last output if it ends, or does not respond within two minutes
 */
export async function startProcess(
  what: string,
  args: readonly string[],
  port: number,
  { probe, retryMs }: Readiness = { probe: () => anyResponse(port), retryMs: RETRY_MS },
): Promise<StartedProcess> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (text: string) => {
    output = (output + text).slice(-LAST_CHARACTERS);
  };
  child.stdout.setEncoding('utf8').on('data', keep); // reading it also keeps its pipe from filling
  child.stderr.setEncoding('utf8').on('data', keep);
  const kill = () => child.kill('SIGKILL'); // if the benchmark itself ends early
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  await untilReady(child, probe, retryMs, () => `${what} does not start. Its output: ${output}`);
  return {
    pid: Number(child.pid),
    close: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  };
}

/** Starts `plimsoll serve` and sends requests until the first decision comes. @param configFile default: no configuration */
export async function startRouteServer(
  artifact: string,
  prompt: string,
  configFile?: string,
): Promise<RouteServer> {
  const port = await freePort();
  const startedMs = performance.now();
  const { what, args } = serveCommand();
  const config = configFile === undefined ? [] : ['--config', configFile];
  const flags = [...config, '--artifact', artifact, '--allow-ungated', '--port', String(port)];
  const decide = (text: string) => requestDecision(port, text);
  const readiness = { probe: () => decide(prompt), retryMs: FIRST_DECISION_RETRY_MS };
  const started = await startProcess(what, [...args, ...flags], port, readiness);
  return { ...started, firstDecisionMs: performance.now() - startedMs, decide };
}

/** A port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resident memory of a process, now or the most that it was (Linux alone), in MB (2^20 bytes). */
export function residentMb(pid: number, field: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const status = `/proc/${pid}/status`;
  const kilobytes = existsSync(status)
    ? new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(status, 'utf8'))?.[1]
    : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return Number(kilobytes) / 1024;
}

/** Samples the resident memory of a process four times a second. */
export function watchMemory(pid: number): MemoryWatch {
  const samples: number[] = [residentMb(pid)];
  const timer = setInterval(() => samples.push(residentMb(pid)), SAMPLE_MS);
  return {
    end() {
      clearInterval(timer);
      samples.push(residentMb(pid));
      return samples;
    },
  };
}

/** Median of the last quarter / median of the second: 1 if memory is flat. The first quarter is start and warm-up. */
export function memoryGrowth(samples: readonly number[]): number {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const second = samples.slice(quarter, 2 * quarter + 1);
  return quantile(samples.slice(-quarter), 0.5) / quantile(second, 0.5);
}

/** Processor time since the process started, in seconds; undefined without /proc. */
export function cpuSeconds(pid: number): number | undefined {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  const stat = readFileSync(file, 'utf8');
  // The name in parentheses may contain spaces; user and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Open file descriptors; undefined without /proc. */
export function openDescriptors(pid: number): number | undefined {
  const folder = `/proc/${pid}/fd`;
  return existsSync(folder) ? readdirSync(folder).length : undefined;
}

async function anyResponse(port: number): Promise<void> {
  const { body } = await request(`http://127.0.0.1:${port}/`, { reset: true });
  await body.dump();
}

async function requestDecision(port: number, prompt: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/route`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt }),
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`The server responded with ${response.status}: ${body}`);
}

async function untilReady(
  child: ChildProcess,
  probe: () => Promise<void>,
  retryMs: number,
  failure: () => string,
): Promise<void> {
  const giveUpMs = performance.now() + GIVE_UP_MS;
  for (;;) {
    try {
      return await probe();
    } catch (cause) {
      if (child.exitCode !== null || performance.now() > giveUpMs) {
        child.kill('SIGKILL');
        throw new PlimsollError('internal', failure(), { cause });
      }
      await sleep(retryMs);
    }
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}
