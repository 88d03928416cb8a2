import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { PlimsollError, systemErrorCode } from '../errors.ts';

export interface RotatingFile {
  /** Appends whole lines, each with its line break; rotates between lines, never in one. Not to be called while it is at work. */
  append(lines: readonly Buffer[]): Promise<void>;
  close(): Promise<void>;
}

export interface Rotation {
  readonly file: string;
  readonly maxBytes: number;
  /** Files that were put aside: <file>.1 is the youngest, <file>.<keep> the oldest. */
  readonly keep: number;
}

/**
 * A file for its owner alone (mode 600) that is rotated before it would grow past `maxBytes`; a single longer line gets a file of its own.
 * What a crash left of a line is ended, so that the next one is whole. Rotating is its own work: another program that moves the file
 * away keeps what is written from then on.
 * @throws PlimsollError `io` if it cannot be opened
 */
export async function openRotatingFile(rotation: Rotation): Promise<RotatingFile> {
  const { file, maxBytes, keep } = rotation;
  let current: Opened | undefined = await openAtEnd(file);

  async function rotate(): Promise<void> {
    await current?.handle.close();
    current = undefined; // if a step below fails, the next append opens what is there
    if (keep === 0) await rm(file, { force: true });
    for (let i = keep; i >= 1; i--) await renameIfThere(i === 1 ? file : `${file}.${i - 1}`, `${file}.${i}`);
    current = await openAtEnd(file);
  }

  async function write(bytes: Buffer): Promise<void> {
    current ??= await openAtEnd(file);
    try {
      await current.handle.appendFile(bytes);
      current.bytes += bytes.length;
    } catch (error) {
      // It may have written half a line: opening again ends that.
      await current.handle.close().catch(() => {});
      current = undefined;
      throw error;
    }
  }

  return {
    async append(lines) {
      let batch: Buffer[] = [];
      let size = current?.bytes ?? 0;
      for (const line of lines) {
        if (size > 0 && size + line.length > maxBytes) {
          if (batch.length > 0) await write(Buffer.concat(batch));
          await rotate();
          batch = [];
          size = 0;
        }
        batch.push(line);
        size += line.length;
      }
      if (batch.length > 0) await write(Buffer.concat(batch));
    },
    async close() {
      await current?.handle.close();
      current = undefined;
    },
  };
}

interface Opened {
  readonly handle: FileHandle;
  bytes: number;
}

const LINE_BREAK = 10;

async function openAtEnd(file: string): Promise<Opened> {
  try {
    const handle = await open(file, 'a+', 0o600);
    const { size } = await handle.stat();
    if (size === 0) return { handle, bytes: 0 };
    const last = Buffer.alloc(1);
    await handle.read(last, 0, 1, size - 1);
    if (last[0] === LINE_BREAK) return { handle, bytes: size };
    await handle.appendFile('\n');
    return { handle, bytes: size + 1 };
  } catch (cause) {
    const reason = systemErrorCode(cause);
    throw new PlimsollError(
      'io',
      `Cannot append to ${file} (${reason}). Its folder must be there and writable, and it must be a file.`,
      { place: { file }, cause },
    );
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}
