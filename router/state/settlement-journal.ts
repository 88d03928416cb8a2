import { randomBytes } from 'node:crypto';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { SettledEntry } from './ports.ts';

/** Entries that other processes wrote. */
export interface JournaledEntries {
  readonly entries: readonly SettledEntry[];
  /** Must be called when they are in the ledger: they are not read again. */
  taken(): Promise<void>;
}

/** Files beside a SQLite file, which say what was settled and may not be in the database yet. No end of the process loses what was appended. */
export interface SettlementJournal {
  /** @throws an error of the file system; nothing was appended then */
  append(entries: readonly SettledEntry[]): void;
  /** What this process appended is in the ledger. @param isIdle nothing is expected soon: the file goes even if it is short */
  committed(isIdle: boolean): void;
  /** What others appended since this was asked last. */
  others(): Promise<JournaledEntries>;
}

/** A file that has grown to this is replaced as soon as all of it is in the ledger. */
const MOST_BYTES = 256 * 1024;
/** A file that nobody has written for so long is that of a process that ended: those of others go when they are idle. */
const ABANDONED_AFTER_MS = 600_000;

export function settlementJournal(stateFile: string): SettlementJournal {
  const folder = path.dirname(stateFile);
  const prefix = `${path.basename(stateFile)}.settled-`;
  const instance = randomBytes(6).toString('hex');
  const isOthers = (name: string) => name.startsWith(prefix) && !name.startsWith(`${prefix}${instance}`);
  /** Name of a file of others -> how many bytes of it are in the ledger. */
  const read = new Map<string, number>();
  const own: string[] = [];
  let fd: number | undefined;
  let bytes = 0;
  let files = 0;

  /** Each file has a name of its own: what others have read of a name stays read. */
  function opened(): number {
    if (fd !== undefined) return fd;
    const file = path.join(folder, `${prefix}${instance}-${files++}`);
    fd = openSync(file, 'ax', 0o600);
    own.push(file);
    bytes = 0;
    return fd;
  }

  function leave(): void {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  }

  return {
    append(entries) {
      const line = Buffer.from(`${JSON.stringify(entries)}\n`);
      const written = writeSync(opened(), line);
      bytes += written;
      if (written === line.length) return;
      leave(); // behind half a line nothing can be read
      throw new Error('the journal of the ledger was written in part');
    },
    committed(isIdle) {
      if (!isIdle && bytes < MOST_BYTES) return;
      leave();
      for (const file of own.splice(0)) rmSync(file, { force: true });
      bytes = 0;
    },
    async others() {
      const names = (await readdir(folder)).filter(isOthers).sort();
      for (const name of read.keys()) if (!names.includes(name)) read.delete(name);
      const files = await Promise.all(
        names.map(async (name) => ({
          name,
          ...(await linesOf(path.join(folder, name), read.get(name) ?? 0)),
        })),
      );
      return {
        entries: files.flatMap(({ entries }) => entries),
        async taken() {
          for (const { name, end, changedMs } of files) {
            read.set(name, Math.max(end, read.get(name) ?? 0));
            if (Date.now() - changedMs < ABANDONED_AFTER_MS) continue;
            await rm(path.join(folder, name), { force: true });
          }
        },
      };
    },
  };
}

interface Lines {
  readonly entries: readonly SettledEntry[];
  /** Where the last whole line ends. */
  readonly end: number;
  readonly changedMs: number;
}

/** Of a file that may be gone, and whose last line may be cut off: of that nobody was told that it is settled. */
async function linesOf(file: string, from: number): Promise<Lines> {
  const none = { entries: [], end: from, changedMs: Number.POSITIVE_INFINITY };
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return none;
  if (found.size <= from) return { ...none, changedMs: found.mtimeMs };
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return none;
  try {
    const text = Buffer.alloc(found.size - from);
    const { bytesRead } = await handle.read(text, 0, text.length, from);
    const end = text.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
    const lines = text.toString('utf8', 0, end).split('\n').slice(0, -1);
    return { entries: lines.flatMap(entriesOf), end: from + end, changedMs: found.mtimeMs };
  } finally {
    await handle.close();
  }
}

/** A line that a damaged disk left counts for nothing: its reservation is swept. */
function entriesOf(line: string): readonly SettledEntry[] {
  try {
    return JSON.parse(line) as SettledEntry[];
  } catch {
    return [];
  }
}
