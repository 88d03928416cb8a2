import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { isObject, parseJson } from '../json/index.ts';

/** A program of the operator that redacts in its own way. */
export interface RedactCommandOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** How long it may take for the texts of one request, in ms; from when those before it were given back. */
  readonly timeoutMs: number;
}

export interface RedactCommand {
  /**
   * The texts as the program gives them back, as many and in the same order.
   * @throws Error if it does not, in time; the caller must not use the texts then
   */
  redact(texts: readonly string[]): Promise<readonly string[]>;
  close(): void;
}

/** A program that ends at once is not started more often. */
const RESTART_MS = 1_000;
/** Longer lines are no response. */
const LONGEST_LINE = 32 * 2 ** 20;

interface Waiting {
  readonly count: number;
  readonly resolve: (texts: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Starts the program with the first texts and keeps it. It reads a line of JSON for each request, `{"id": 1, "texts": ["…"]}`, and writes one,
 * `{"id": 1, "texts": ["…"]}`, in any order. It gets no variable of the environment but PATH. A late or wrong response ends it: it is started anew
 * with the next texts, at most once a second.
 */
export function openRedactCommand({ command, timeoutMs }: RedactCommandOptions): RedactCommand {
  const [program = '', ...args] = command;
  const waiting = new Map<number, Waiting>();
  let child: ChildProcessWithoutNullStreams | undefined;
  let startedMs = Number.NEGATIVE_INFINITY;
  let lastId = 0;
  let late: NodeJS.Timeout | undefined;

  function stop(why: string): void {
    const ended = child;
    child = undefined;
    clearTimeout(late);
    ended?.kill('SIGKILL');
    for (const { reject } of waiting.values()) reject(new Error(why));
    waiting.clear();
  }

  function start(): ChildProcessWithoutNullStreams {
    if (performance.now() - startedMs < RESTART_MS) throw new Error('it ended, and is not started again yet');
    startedMs = performance.now();
    const started = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: process.env['PATH'] },
    }) as unknown as ChildProcessWithoutNullStreams;
    const stopThis = (why: string) => {
      if (child === started) stop(why);
    };
    started.on('error', () => stopThis('it cannot be started'));
    started.on('close', () => stopThis('it ended'));
    started.stdin.on('error', () => stopThis('it reads nothing'));
    const receiveFromThis = (line: string) => {
      if (child === started) receive(line); // what an ended one still had to say is nobody's fault now
    };
    readLines(started, receiveFromThis, () => stopThis('its response is too long'));
    return started;
  }

  function receive(line: string): void {
    const response = parseJson(line);
    const { id, texts } = isObject(response) ? response : {};
    const asked = waiting.get(Number(id));
    if (asked === undefined || !isTexts(texts, asked.count)) stop('its response has another form');
    else {
      const isFirst = waiting.keys().next().value === Number(id);
      waiting.delete(Number(id));
      if (isFirst) awaitFirst();
      asked.resolve(texts);
    }
  }

  /** A burst waits in line: the time of each request begins when it is the first of those that wait. */
  function awaitFirst(): void {
    clearTimeout(late);
    if (waiting.size > 0) late = setTimeout(() => stop('it took longer than timeout_ms'), timeoutMs);
  }

  return {
    async redact(texts) {
      child ??= start();
      const { stdin } = child;
      const id = ++lastId;
      const responded = new Promise<readonly string[]>((resolve, reject) => {
        waiting.set(id, { count: texts.length, resolve, reject });
      });
      if (waiting.size === 1) awaitFirst();
      stdin.write(`${JSON.stringify({ id, texts })}\n`);
      return responded;
    },
    close: () => stop('closed'),
  };
}

function isTexts(texts: unknown, count: number): texts is readonly string[] {
  return Array.isArray(texts) && texts.length === count && texts.every((text) => typeof text === 'string');
}

function readLines(
  { stdout }: ChildProcessWithoutNullStreams,
  onLine: (line: string) => void,
  onTooLong: () => void,
): void {
  let pieces: string[] = [];
  let held = 0;
  stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const [first = '', ...others] = chunk.split('\n');
    held += first.length;
    if (held > LONGEST_LINE) onTooLong();
    pieces.push(first);
    for (const next of others) {
      onLine(pieces.join(''));
      pieces = [next];
      held = next.length;
    }
  });
}
