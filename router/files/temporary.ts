import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { systemErrorCode } from '../errors.ts';

/** A process, distinguished from a later one with the same id, and from those of other machines and containers. */
interface Owner {
  /** 8 hex digits: host name, boot and, in containers, the namespace of process ids. */
  readonly machine: string;
  readonly pid: number;
  /** Clock ticks from boot to the process's start; 0 if the system does not say. */
  readonly started: number;
}

let self: Owner | undefined;

export function thisProcess(): Owner {
  self ??= { machine: thisMachine(), pid: process.pid, started: startOf(process.pid) ?? 0 };
  return self;
}

/** `elsewhere`: on another machine or in another container, where we cannot look. */
export function stateOf({ machine, pid, started }: Owner): 'running' | 'gone' | 'elsewhere' {
  if (machine !== thisProcess().machine) return 'elsewhere';
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return 'gone';
  }
  const found = startOf(pid);
  return found === undefined || started === 0 || found === started ? 'running' : 'gone';
}

/** For names of files. */
function ownerText({ machine, pid, started }: Owner): string {
  return `${machine}-${pid}-${started}`;
}

function thisMachine(): string {
  const parts = [
    hostname(),
    textOr('', () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    textOr('', () => readlinkSync('/proc/self/ns/pid')),
  ];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 8);
}

const STATE = 0;
const START_TIME = 19;
/** A killed process stays in the table as a zombie until its parent asks for it; it holds nothing any more. */
const DEAD = /^[ZXx]$/;

/** proc(5): the fields after the command's name, which is in parentheses and may hold anything. -1 for a process that is dead. */
function startOf(pid: number): number | undefined {
  const text = textOr('', () => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (DEAD.test(fields[STATE] ?? '')) return -1;
  const start = Number(fields[START_TIME]);
  return Number.isSafeInteger(start) ? start : undefined;
}

function textOr(fallback: string, read: () => string): string {
  try {
    return read();
  } catch {
    return fallback;
  }
}

/** `tmp` is being written; `before` is a folder that is being replaced. */
type Kind = 'tmp' | 'before';

const NAME =
  /^\.(?<target>.+)\.(?<machine>[0-9a-f]{8})-(?<pid>\d+)-(?<started>\d+)-[0-9a-f]{12}\.(?<kind>tmp|before)$/;

/** Another machine's files are swept only when nobody has touched them for so long. */
const ABANDONED_AFTER_MS = 86_400_000;

/** A new hidden name in the folder of `target` that says which process made it. */
export function temporaryName(target: string, kind: Kind): string {
  const unique = `${ownerText(thisProcess())}-${randomBytes(6).toString('hex')}`;
  return path.join(path.dirname(target), `.${path.basename(target)}.${unique}.${kind}`);
}

interface Temporary {
  readonly file: string;
  readonly target: string;
  readonly kind: Kind;
  readonly abandoned: boolean;
}

/** What commands left in a folder, killed ones or ones at work. */
export function temporariesIn(folder: string): Temporary[] {
  return namesIn(folder).flatMap((name) => {
    const parts = NAME.exec(name)?.groups;
    if (parts === undefined) return [];
    const file = path.join(folder, name);
    const owner = {
      machine: parts['machine']!,
      pid: Number(parts['pid']),
      started: Number(parts['started']),
    };
    const state = stateOf(owner);
    const abandoned = state === 'gone' || (state === 'elsewhere' && ageMs(file) > ABANDONED_AFTER_MS);
    return [{ file, target: path.join(folder, parts['target']!), kind: parts['kind'] as Kind, abandoned }];
  });
}

/** Removes what killed commands left. A `before` whose target is missing stays: it is all that there is. */
export function sweep(folder: string): void {
  for (const { file, target, kind, abandoned } of temporariesIn(folder)) {
    if (abandoned && (kind === 'tmp' || existsSync(target))) removed(file);
  }
}

/** Best effort: what cannot be removed now is tried again by the next command. */
export function removed(place: string): void {
  try {
    rmSync(place, { recursive: true, force: true });
  } catch {}
}

/** None if the folder cannot be read: the write itself says what is wrong with it. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function ageMs(file: string): number {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
