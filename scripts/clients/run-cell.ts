import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Script } from '../fake-provider/index.ts';
import type { Client, Task } from './client.ts';
import type { Ladder } from './ladders.ts';
import type { Exchange } from './recorder.ts';
import { startStack } from './stack.ts';

/** One goes to the cheap model, the other to the strong one. */
const PROMPTS = [
  'Translate the word in mark.txt into French.',
  'Read the file mark.txt and prove by induction that the sum of the first n odd numbers is n squared.',
];
const RETURNED = 'The tools returned:';
/** Of what a client writes, in a report. */
const LAST_CHARACTERS = 2_000;

export interface Refusal {
  readonly request: string;
  readonly status: number;
  readonly error: string;
  readonly body: string;
}

export interface Cell {
  readonly client: string;
  readonly ladder: string;
  readonly works: boolean;
  /** It does not work for a reason that is known, and not Plimsoll's. */
  readonly cannot?: string;
  /** Why it does not work, in one line. */
  readonly why?: string;
  /** Models that replied. */
  readonly served: readonly string[];
  /** Fields that the gateway dropped. */
  readonly dropped: readonly string[];
  /** Requests that were refused, whether the client went on or not. */
  readonly refusals: readonly Refusal[];
  /** The client's last words if it does not work. */
  readonly output?: string;
}

export interface Installed {
  readonly folder: string;
  readonly node: string;
}

/** Runs a client's two tasks on a ladder. */
export async function runCell(
  client: Client,
  ladder: Ladder,
  { folder, node }: Installed,
  timeoutMs: number,
): Promise<Cell> {
  const exchanges: Exchange[] = [];
  let failure: { readonly why: string; readonly output: string } | undefined;
  for (const prompt of PROMPTS) {
    const root = mkdtempSync(path.join(tmpdir(), 'plimsoll-client-'));
    const mark = randomUUID();
    const stack = await startStack(ladder, scriptOf(client), root);
    try {
      const task = taskIn(root, { installed: folder, url: stack.recorder.url, prompt }, client, mark);
      const run = await runClient(client, task, node, timeoutMs);
      exchanges.push(...stack.recorder.exchanges);
      const refused = stack.recorder.exchanges.findLast(({ status }) => status >= 400);
      const why = whyNot(client, run, mark, refused, timeoutMs);
      failure ??= why === undefined ? undefined : { why, output: run.output.slice(-LAST_CHARACTERS) };
    } finally {
      await stack.close();
      rmSync(root, { recursive: true, force: true });
    }
  }
  return {
    client: client.id,
    ladder: ladder.id,
    works: failure === undefined,
    ...failure,
    ...(failure && client.cannot?.[ladder.id] !== undefined && { cannot: client.cannot[ladder.id]! }),
    served: distinct(exchanges, 'x-plimsoll-served'),
    dropped: distinct(exchanges, 'x-plimsoll-dropped'),
    refusals: exchanges.filter(({ status }) => status >= 400).map(refusalOf),
  };
}

function scriptOf({ tool, text: said }: Client): Script {
  return said === undefined ? { turns: [{ say: 'Let me look.', calls: [tool] }] } : { turns: [], text: said };
}

function taskIn(
  root: string,
  parts: Pick<Task, 'installed' | 'url' | 'prompt'>,
  client: Client,
  mark: string,
): Task {
  const task = { ...parts, model: 'auto', home: path.join(root, 'home'), work: path.join(root, 'work') };
  mkdirSync(task.home);
  mkdirSync(task.work);
  writeFileSync(path.join(task.work, 'mark.txt'), mark);
  for (const [name, content] of Object.entries(client.files?.(task) ?? {})) {
    const file = path.join(task.home, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return task;
}

interface Run {
  readonly code: number | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly output: string;
}

async function runClient(client: Client, task: Task, node: string, timeoutMs: number): Promise<Run> {
  const { args, env } = client.command(task);
  const isProgram = /\.[cm]?js$/.test(args[0]!);
  const [file, ...rest] = isProgram ? [node, ...args] : args;
  // A group of its own, so that all of a client's processes can be ended.
  const child = spawn(file!, rest, {
    cwd: task.work,
    env: { ...environment(task, node), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let timedOut = false;
  const end = () => {
    timedOut = true;
    process.kill(-child.pid!, 'SIGKILL');
  };
  const timer = setTimeout(end, timeoutMs);
  const code = new Promise<number | null>((resolve, reject) =>
    child.once('close', resolve).once('error', reject),
  );
  try {
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await code, timedOut, stdout, output: `${stdout}\n${stderr}` };
  } finally {
    clearTimeout(timer);
  }
}

/** Of this process nothing but the path: no key, no proxy, no configuration. A proxy that is not there ends what leaves loopback. */
function environment({ home }: Task, node: string): Record<string, string> {
  return {
    PATH: `${path.dirname(node)}${path.delimiter}${process.env['PATH']}`,
    HOME: home,
    XDG_CONFIG_HOME: path.join(home, '.config'),
    XDG_DATA_HOME: path.join(home, '.local/share'),
    XDG_CACHE_HOME: path.join(home, '.cache'),
    XDG_STATE_HOME: path.join(home, '.local/state'),
    TMPDIR: tmpdir(),
    TERM: 'dumb',
    NO_COLOR: '1',
    CI: '1',
    DO_NOT_TRACK: '1',
    DISABLE_TELEMETRY: '1',
    LANGSMITH_TRACING: 'false',
    OPENAI_AGENTS_DISABLE_TRACING: '1',
    HTTPS_PROXY: 'http://127.0.0.1:9',
    HTTP_PROXY: 'http://127.0.0.1:9',
    NO_PROXY: '127.0.0.1,localhost',
  };
}

/** The tool's result came to the model, and the model's text to the user. */
function whyNot(
  { answers, text: said }: Client,
  { code, timedOut, stdout }: Run,
  mark: string,
  refused: Exchange | undefined,
  timeoutMs: number,
): string | undefined {
  const expected = said === undefined ? new RegExp(`${RETURNED}[^]*?${mark}`, 'g') : /"name":"Ada","age":36/g;
  const found = stdout.match(expected)?.length ?? 0;
  if (found >= answers && code === 0) return undefined;
  if (timedOut) return `no answer within ${timeoutMs / 1000} s`;
  if (refused !== undefined) return `${refused.status}: ${refusalOf(refused).error}`;
  return code === 0
    ? `the model's text came ${found} of ${answers} times`
    : `the client ends with code ${code}`;
}

function refusalOf({ method, path: place, status, requestBody, responseBody }: Exchange): Refusal {
  return { request: `${method} ${place}`, status, error: messageIn(responseBody), body: requestBody };
}

function messageIn(body: string): string {
  try {
    return String(JSON.parse(body).error.message);
  } catch {
    return body.slice(0, 200);
  }
}

function distinct(exchanges: readonly Exchange[], header: string): string[] {
  const values = exchanges.flatMap(({ headers }) => String(headers[header] ?? '').split(/,\s*/));
  return [...new Set(values)].filter((value) => value !== '').sort();
}
