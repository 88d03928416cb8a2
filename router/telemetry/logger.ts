import type { WriteStream } from 'node:tty';
import { type Logger, pino } from 'pino';
import type { Config } from '../config.ts';
import { readableLine } from './readable-line.ts';

export type { Logger };

interface LogStream {
  readonly isTTY?: boolean;
  write(line: string): unknown;
}

/** JSON lines for machines; on a terminal one readable line each. Goes to stderr: stdout belongs to results. */
export function createLogger(
  level: Config['log_level'],
  stream: LogStream = process.stderr as WriteStream,
): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const write = stream.isTTY
    ? (line: string) => stream.write(readableLine(line))
    : (line: string) => stream.write(line);
  return pino(options, { write });
}
