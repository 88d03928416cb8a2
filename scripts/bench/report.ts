import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { textTable } from '../../evals/format.ts';
import { VERSION } from '../../router/package.ts';
import type { JudgedRow, Spread, Target } from './measurement.ts';

/** The machine of the measurement: without it the figures mean nothing. */
export interface Machine {
  readonly plimsoll: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gb: number;
  /** Over the minute before the run. */
  readonly load_average: number;
  /** Other processes were active: the figures are worse, and vary more, than they should. */
  readonly busy: boolean;
  readonly date: string;
}

const HEADING = ['row', 'n', 'median', 'spread', 'peer', 'ratio', 'spread', 'target', 'met'];
const BUSY_SHARE = 0.25;

export function describeMachine(): Machine {
  const cores = availableParallelism();
  const [load = 0] = loadavg();
  return {
    plimsoll: VERSION,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    load_average: Math.round(load * 100) / 100,
    busy: load > BUSY_SHARE * cores,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** The rows as a table for people; docs/BENCHMARKS.md explains each one. */
export function reportText(machine: Machine, rows: readonly JudgedRow[]): string {
  const notes = rows.flatMap(({ name, notes, peer_missing }) =>
    [...notes, ...(peer_missing ? [`no peer: ${peer_missing}`] : [])].map((note) => `${name}: ${note}`),
  );
  return [machineLine(machine), '', textTable([HEADING, ...rows.map(cells)]), '', ...notes, ''].join('\n');
}

/** The same table for docs/BENCHMARKS.md. */
export function reportMarkdown(machine: Machine, rows: readonly JudgedRow[]): string {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`;
  const rule = HEADING.map((_, i) => (i === 0 ? '---' : '---:'));
  return [`${machineLine(machine)}.`, '', ...[HEADING, rule, ...rows.map(cells)].map(line), ''].join('\n');
}

export function machineLine({ node, platform, cpu, cores, load_average, busy }: Machine): string {
  const load = `load average ${load_average} at the start`;
  const caution = busy ? ': the machine was BUSY, the figures are worse than they need be' : '';
  return `Node ${node}, ${platform}, ${cpu}, ${cores} cores, ${load}${caution}`;
}

function cells({ name, unit, value, peer, ratio, target, met, aim_met }: JudgedRow): string[] {
  return [
    name,
    String(value.n),
    `${digits(value.median)} ${unit}`,
    range(value),
    peer ? `${digits(peer.value.median)} ${unit}` : '-',
    ratio ? digits(ratio.median) : '-',
    ratio ? range(ratio) : '-',
    target ? targetText(target, unit) : '-',
    target ? verdict(met, aim_met) : '-',
  ];
}

function targetText({ of, is, required, aim }: Target, unit: string): string {
  const bound = `${of === 'ratio' ? 'ratio ' : ''}${is === 'at most' ? '<=' : '>='} ${required}`;
  return `${bound}${of === 'value' ? ` ${unit}` : ''}${aim === undefined ? '' : ` (aim ${aim})`}`;
}

function verdict(met: boolean | null, aimMet: boolean | null): string {
  if (met === null) return 'not measured';
  if (!met) return 'NO';
  return aimMet === false ? 'yes, aim not' : 'yes';
}

function range({ low, high }: Spread): string {
  return `${digits(low)}..${digits(high)}`;
}

/** Three significant digits. */
function digits(x: number): string {
  return Math.abs(x) >= 1000 ? Math.round(x).toLocaleString('en') : String(Number(x.toPrecision(3)));
}
