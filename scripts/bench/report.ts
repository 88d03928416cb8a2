import { textTable } from '../../evals/report/index.ts';
import type { Machine } from './machine.ts';
import type { JudgedRow, Spread, Target } from './row.ts';

const HEADING = ['row', 'n', 'median', 'spread', 'peer', 'ratio', 'spread', 'target', 'met'];

/** The rows as a table for people; docs/BENCHMARKS.md says what each one means. */
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

/** Three digits that count. */
function digits(x: number): string {
  return Math.abs(x) >= 1000 ? Math.round(x).toLocaleString('en') : String(Number(x.toPrecision(3)));
}
