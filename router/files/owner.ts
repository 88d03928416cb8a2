import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemErrorCode } from '../errors.ts';

/** A process, distinguished from a later one with the same id, and from those of other machines and containers. */
export interface Owner {
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
export function ownerText({ machine, pid, started }: Owner): string {
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
