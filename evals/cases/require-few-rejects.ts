import { PlimsollError } from '../../router/errors.ts';
import type { RejectedRow, RejectLog } from './reject-log.ts';

/** Rejected rows that the message shows. */
const SHOWN = 3;

/** @throws PlimsollError 'invalid-input' if more than the allowed share of the rows was rejected */
export function requireFewRejects(rejects: RejectLog, read: number, maxShare: number): void {
  if (read === 0 || rejects.count / read <= maxShare) return;
  const [first] = rejects.kept;
  const shown = rejects.kept.slice(0, SHOWN).map(oneLine).join('\n');
  const more = rejects.count > SHOWN ? `\n  and ${rejects.count - SHOWN} more` : '';
  throw new PlimsollError(
    'invalid-input',
    `${rejects.count} of ${read} rows (${percent(rejects.count / read)}) were rejected; ${percent(maxShare)} are allowed.\n` +
      `${shown}${more}\nMend these rows, or leave them out and raise the limit with --max-rejects.`,
    {
      place: { file: first.file, line: first.line, ...(first.field !== undefined && { field: first.field }) },
    },
  );
}

function oneLine({ file, line, field, reason }: RejectedRow): string {
  return `  ${file}:${line}: ${field === undefined ? '' : `${field}: `}${reason}`;
}

/** Enough digits that the share and the limit never look equal when they are not. */
function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}
