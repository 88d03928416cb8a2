import { type Logger as PinoLogger, pino } from 'pino';
import { safeError } from '../errors.ts';
import { redactedLine } from './redaction.ts';

/** Writes one line: fields and a message, or a message alone. An error given alone is logged as `err`. */
export interface LogLine {
  (fields: object, message?: string): void;
  (message: string): void;
}

/** What is used of pino's logger. An interface of our own, so that a user's compiler needs neither pino's types nor Node's. */
export interface Logger {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
  isLevelEnabled(level: string): boolean;
  /** A logger whose lines have these fields too. */
  child(fields: object): Logger;
}

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

interface LogStream {
  readonly isTTY?: boolean;
  write(line: string): unknown;
}

/** Shorter ones would be found in words that are no secret. */
const SHORTEST_SECRET = 8;

/**
 * JSON lines for machines; on a terminal one readable line each. Goes to stderr: stdout belongs to results.
 * Every line passes `redactedLine`, and a logged error is reduced to `safeError`: messages of foreign errors may quote a prompt.
 * @param secrets what no line may contain, such as the providers' keys; read for each line, since they may change.
 * Those of fewer than 8 characters are not looked for.
 */
export function createLogger(
  level: LogLevel,
  stream: LogStream = process.stderr,
  secrets: () => readonly string[] = () => [],
): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: errorOnly, error: errorOnly },
    hooks: { logMethod: withoutMessage },
  };
  const clean = (line: string) =>
    redactedLine(
      line,
      secrets().filter((secret) => secret.length >= SHORTEST_SECRET),
    );
  const write = stream.isTTY
    ? (line: string) => stream.write(readableLine(clean(line)))
    : (line: string) => stream.write(clean(line));
  return pino(options, { write });
}

function errorOnly(value: unknown): unknown {
  return value instanceof Error ? safeError(value) : value;
}

/** For `logger.error(error)`: pino would use the error's message as the line's. */
function withoutMessage(
  this: PinoLogger,
  args: Parameters<PinoLogger['info']>,
  method: (...args: Parameters<PinoLogger['info']>) => void,
): void {
  const [first, ...rest] = args as [unknown, ...unknown[]];
  const safe = first instanceof Error ? [{ err: first }, ...(rest.length > 0 ? rest : ['failed'])] : args;
  method.apply(this, safe as Parameters<PinoLogger['info']>);
}

const COLOURS: Readonly<Record<string, number>> = { error: 31, warn: 33, debug: 90 };

/** A JSON log line for a person: time, the level unless it is info, message, then the fields. */
function readableLine(json: string): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = String(time).slice(11, 19);
  const colour = COLOURS[String(level)];
  const kind = colour === undefined ? '' : `\u001b[${colour}m${String(level)}\u001b[0m `;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${plain(value)}`);
  return `${clock} ${kind}${String(msg ?? '')}${rest.join('')}\n`;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
