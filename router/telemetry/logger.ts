import type { WriteStream } from 'node:tty';
import { type Logger, pino } from 'pino';
import { safeError } from '../errors.ts';
import { readableLine } from './readable-line.ts';
import { redactedLine } from './redaction.ts';

export type { Logger };

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

interface LogStream {
  readonly isTTY?: boolean;
  write(line: string): unknown;
}

/** Shorter ones would be found in words that are no secret. */
const SHORTEST_SECRET = 8;

/**
 * JSON lines for machines; on a terminal one readable line each. Goes to stderr: stdout belongs to results.
 * Every line passes `redactedLine`, and of a logged error `safeError` is all that is told: messages of others may quote a prompt.
 * @param secrets what must not be told wherever it stands, such as the providers' keys; asked for each line, since they may change.
 * Those of fewer than 8 characters are not looked for.
 */
export function createLogger(
  level: LogLevel,
  stream: LogStream = process.stderr as WriteStream,
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

/** `logger.error(error)`: pino would take the error's message for the line's own. */
function withoutMessage(
  this: Logger,
  args: Parameters<Logger['info']>,
  method: (...args: Parameters<Logger['info']>) => void,
): void {
  const [first, ...rest] = args as [unknown, ...unknown[]];
  const safe = first instanceof Error ? [{ err: first }, ...(rest.length > 0 ? rest : ['failed'])] : args;
  method.apply(this, safe as Parameters<Logger['info']>);
}
