/** Shown for what is not known. */
export const DASH = '–';
/** Between a number and its unit: they stay on one line. */
const SPACE = '\u00a0';

type Known = number | undefined | null;

const isKnown = (value: Known): value is number =>
  value !== undefined && value !== null && Number.isFinite(value);

/** US dollars, with as many decimals as say something: $1,234, $12.34, $0.0042. */
export function usd(value: Known): string {
  if (!isKnown(value)) return DASH;
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  if (size >= 1_000) return `${sign}$${grouped(size, 0)}`;
  if (size >= 0.995 || size === 0) return `${sign}$${grouped(size, 2)}`;
  const decimals = Math.min(9, Math.max(2, 2 - Math.floor(Math.log10(size)) - 1));
  return `${sign}$${size.toFixed(decimals)}`;
}

/** A share from 0 to 1: 37.1 %. */
export function percent(share: Known, decimals = 1): string {
  return isKnown(share) ? `${(100 * share).toFixed(decimals).replace('-', '−')}${SPACE}%` : DASH;
}

/** A whole number with commas: 12,345. */
export function count(value: Known): string {
  return isKnown(value) ? grouped(value, 0) : DASH;
}

/** A count with what is counted, in the singular or the plural. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)}${SPACE}${value === 1 ? one : many}`;
}

/** Milliseconds, as µs, ms, s or min. */
export function duration(ms: Known): string {
  if (!isKnown(ms)) return DASH;
  if (ms < 0.995) return `${Math.round(ms * 1_000)}${SPACE}µs`;
  if (ms < 9.95) return `${ms.toFixed(1)}${SPACE}ms`;
  if (ms < 999.5) return `${Math.round(ms)}${SPACE}ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)}${SPACE}s`;
  return `${(ms / 60_000).toFixed(1)}${SPACE}min`;
}

/** A quality loss or a score: four decimals. */
export function score(value: Known): string {
  return isKnown(value) ? value.toFixed(4).replace('-', '−') : DASH;
}

/** A day, as 2026-11-30. */
export function day(iso: string): string {
  return iso.slice(0, 10);
}

/** A time by the second, in UTC. */
export function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `in 12 days`, `3 hours ago`. */
export function relative(ms: number, nowMs: number): string {
  const seconds = (ms - nowMs) / 1_000;
  const size = Math.abs(seconds);
  // Below two of a larger unit, a smaller one says more.
  const unit = UNITS.find(([, length]) => size >= 2 * length) ?? UNITS.at(-1)!;
  return RELATIVE.format(Math.trunc(seconds / unit[1]), unit[0]);
}

const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

function grouped(value: number, decimals: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}
