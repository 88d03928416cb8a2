import { PlimsollError } from '../../router/errors.ts';
import type { RejectedRow, RejectKind, RejectLog } from './reject-log.ts';

/** Kinds of faults that a message shows. */
const SHOWN_KINDS = 5;

/**
 * @param hints sentences that may explain why, such as names that were not read
 * @throws PlimsollError 'invalid-input' if more than the allowed share of the rows was rejected
 */
export function requireFewRejects(
  rejects: RejectLog,
  read: number,
  maxShare: number,
  hints: readonly string[] = [],
): void {
  if (read === 0 || rejects.count / read <= maxShare) return;
  throw new PlimsollError(
    'invalid-input',
    [
      `${rejects.count} of ${read} rows (${percent(rejects.count / read)}) were rejected; ${percent(maxShare)} are allowed.`,
      ...rejectLines(rejects.kinds),
      ...scaleHints(rejects.kinds),
      ...hints,
      'Fix these rows, or leave them out and raise the limit with --max-rejects.',
    ].join('\n'),
    { place: placeOf(rejects.kept[0]!) },
  );
}

/** If qualities were rejected for being off the scale. */
function scaleHints(kinds: readonly RejectKind[]): string[] {
  const off = kinds.some(({ first }) => first.some(({ reason }) => OFF_SCALE.test(reason)));
  return off
    ? [
        'If the qualities are on another scale, name it: --quality-scale 0-100, 1-5, boolean, percent or any LOW-HIGH.',
      ]
    : [];
}

const OFF_SCALE = /^must be (a number from|TRUE or FALSE|a percentage)/;

function placeOf({ file, line, field }: RejectedRow) {
  return { file, line, ...(field !== undefined && { field }) };
}

/** Each kind of fault with its first three places, one a line. */
export function rejectLines(kinds: readonly RejectKind[]): string[] {
  const lines = kinds
    .slice(0, SHOWN_KINDS)
    .flatMap(({ count, first }) => [
      ...first.map(rejectLine),
      ...(count > first.length ? [`  and ${count - first.length} more of this kind`] : []),
    ]);
  const others = kinds.slice(SHOWN_KINDS).reduce((sum, { count }) => sum + count, 0);
  return others > 0 ? [...lines, `  and ${others} of ${kinds.length - SHOWN_KINDS} other kinds`] : lines;
}

function rejectLine({ file, line, field, reason }: RejectedRow): string {
  return `  ${file}:${line}: ${field === undefined ? '' : `${field}: `}${reason}`;
}

/** Enough digits that the share and the limit never look equal when they are not. */
function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}
