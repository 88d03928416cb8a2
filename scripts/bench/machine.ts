import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { VERSION } from '../../router/package.ts';

/** Where the figures were measured: without it they say nothing. */
export interface Machine {
  readonly plimsoll: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gb: number;
  /** Over the minute before the run. */
  readonly load_average: number;
  /** Somebody else was at work: the figures are worse, and wider, than the program. */
  readonly busy: boolean;
  readonly date: string;
}

const BUSY_SHARE = 0.25;

export function thisMachine(): Machine {
  const cores = availableParallelism();
  const load = loadavg()[0]!;
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
