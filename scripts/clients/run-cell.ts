import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Script } from '../fake-provider/index.ts';
import type { Client, Task } from './client.ts';
import { type Exchange, type LadderGateway, startStack } from './stack.ts';

/** One goes to the cheap model, the other to the strong one. */
const PROMPTS = [
  'Translate the word in mark.txt into French.',
  'Read the file mark.txt and prove by induction that the sum of the first n odd numbers is n squared.',
];
const RETURNED = 'The tools returned:';
/** How much of a client's output a report keeps. */
const OUTPUT_CHARACTERS = 2_000;

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
  /** A known reason why it does not work that is not Plimsoll's. */
  readonly cannot?: string;
  /** Why it does not work, in one line. */
  readonly why?: string;
  /** Models that replied. */
  readonly served: readonly string[];
  /** Fields that the gateway dropped. */
  readonly dropped: readonly string[];
  /** Requests that were refused, whether the client went on or not. */
  readonly refusals: readonly Refusal[];
  /** The end of the client's output, if it does not work. */
  readonly output?: string;
}

export interface Installed {
  readonly folder: string;
  readonly node: string;
}

/** Runs a client's two tasks through a gateway. */
export async function runCell(
  client: Client,
  gateway: LadderGateway,
  { folder, node }: Installed,
  timeoutMs: number,
): Promise<Cell> {
  const root = mkdtempSync(path.join(tmpdir(), 'plimsoll-client-'));
  const { ladder } = gateway;
  const stack = await startStack(gateway, scriptFor(client));
  const { url, exchanges } = stack.recorder;
  let failure: { readonly why: string; readonly output: string } | undefined;
  try {
    for (const [at, prompt] of PROMPTS.entries()) {
      const begun = exchanges.length;
      const mark = randomUUID();
      const task = prepareTask(path.join(root, String(at)), { installed: folder, url, prompt }, client, mark);
      const run = await runClient(client, task, node, timeoutMs);
      const refused = exchanges.slice(begun).findLast(({ status }) => status >= 400);
      const why = failureReason(client, run, mark, refused, timeoutMs);
      failure ??= why === undefined ? undefined : { why, output: run.output.slice(-OUTPUT_CHARACTERS) };
    }
  } finally {
    await stack.close();
    rmSync(root, { recursive: true, force: true });
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

function scriptFor({ tool, text: finalText }: Client): Script {
  return finalText === undefined
    ? { turns: [{ say: 'Let me look.', calls: [tool] }] }
    : { turns: [], text: finalText };
}

function prepareTask(
  root: string,
  parts: Pick<Task, 'installed' | 'url' | 'prompt'>,
  client: Client,
  mark: string,
): Task {
  const task = { ...parts, model: 'auto', home: path.join(root, 'home'), work: path.join(root, 'work') };
  mkdirSync(task.home, { recursive: true });
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
  const isScript = /\.[cm]?js$/.test(args[0] ?? '');
  const [file = node, ...rest] = isScript ? [node, ...args] : args;
  // A process group of its own, so that all of the client's processes can be ended.
  const child = spawn(file, rest, {
    cwd: task.work,
    env: { ...environment(task, node), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let timedOut = false;
  const end = () => {
    timedOut = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
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

/** Inherits only the path: no key, no proxy, no configuration. The proxy does not exist, so that nothing leaves loopback. */
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

/** Undefined if the tool's result reached the model and the model's text the user. */
function failureReason(
  { replies, text: finalText }: Client,
  { code, timedOut, stdout }: Run,
  mark: string,
  refused: Exchange | undefined,
  timeoutMs: number,
): string | undefined {
  const expected =
    finalText === undefined
      ? [...stdout.matchAll(new RegExp(`${RETURNED}[^]*?${mark}`, 'g'))]
      : stdout.split(finalText).slice(1);
  const found = expected.length;
  if (found >= replies && code === 0) return undefined;
  if (timedOut) return `no answer within ${timeoutMs / 1000} s`;
  if (refused !== undefined) return `${refused.status}: ${refusalOf(refused).error}`;
  return code === 0
    ? `the model's text came ${found} of ${replies} times`
    : `the client ends with code ${code}`;
}

function refusalOf({ method, path: route, status, requestBody, responseBody }: Exchange): Refusal {
  return { request: `${method} ${route}`, status, error: errorMessage(responseBody), body: requestBody };
}

function errorMessage(body: string): string {
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
