/** Shown for an unknown value. */
export const DASH = '–';

/** Control characters, lone surrogates, non-characters, and marks that change the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu;

type Known = number | null | undefined;

/** A share as a percentage with one decimal, or more: .0314 -> `3.1 %`. */
export function formatRate(share: Known, moreDigits = 0): string {
  return isKnown(share) ? `${fixed(100 * share, 1 + moreDigits)} %` : DASH;
}

/** A loss, a threshold, a score: four decimals, or more. */
export function formatLoss(loss: Known, moreDigits = 0): string {
  return isKnown(loss) ? fixed(loss, 4 + moreDigits) : DASH;
}

/** A count, with a comma between thousands. */
export function formatCount(count: Known): string {
  return isKnown(count) ? String(count).replace(/\B(?=(\d{3})+$)/g, ',') : DASH;
}

/** Mean US dollars per case, as the cost of a thousand cases: .00042 -> `$0.420`. */
export function formatCost(usd: Known): string {
  return isKnown(usd) ? `$${fixed(1000 * usd, 3)}` : DASH;
}

/** A difference with its sign: `+0.0012`. A dash unless both values are known. */
export function formatDifference(before: Known, now: Known, format: (value: Known) => string): string {
  if (!isKnown(before) || !isKnown(now)) return DASH;
  const difference = format(Math.abs(now - before));
  if (difference === format(0)) return `±${difference}`;
  return `${now > before ? '+' : '-'}${difference}`;
}

/**
 * A name made safe for one line of a terminal, Markdown or XML: unprintable characters become U+FFFD, so that no name moves the
 * cursor, colours the screen, ends a line or makes a document ill-formed (XML 1.0, section 2.2).
 */
export function oneLine(text: string): string {
  return text.replace(UNPRINTABLE, '\ufffd');
}

/** As oneLine, but keeps line feeds and tabs: for prompts. */
export function printableText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNPRINTABLE, (one) => (/[\n\t]/.test(one) ? one : '\ufffd'));
}

/** Aligned columns: the first to the left, the others to the right. The first row is the heading. */
export function textTable([heading = [], ...body]: readonly (readonly string[])[]): string {
  const widths = heading.map((name, i) => Math.max(name.length, ...body.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(heading), rule, ...body.map(line)].join('\n');
}

function isKnown(value: Known): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

/** As toFixed, but without a minus before what rounds to 0. */
function fixed(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace('-', '') : text;
}
