import { VERDICTS, type VerdictWord } from '../../../router/artifact/index.ts';
import { escaped } from './escaped.ts';

/** Told apart by shape, without colour. */
export const SIGNS: Readonly<Record<VerdictWord, string>> = { PASS: '✓', INCONCLUSIVE: '?', FAIL: '✗' };

/**
 * Rows as a table that scrolls inside its own box where the page is narrow. The first row is the heading, the first column names the
 * row; a verdict's word gets its sign.
 */
export function htmlTable(name: string, rows: readonly (readonly string[])[]): string {
  const [heading, ...body] = rows;
  const head = heading!.map((cell) => `<th scope="col">${escaped(cell)}</th>`).join('');
  return scrolling(
    name,
    `<table><thead><tr>${head}</tr></thead><tbody>${body.map(tableRow).join('\n')}</tbody></table>`,
  );
}

/** Reached by the keyboard too: what scrolls must be focusable. */
export function scrolling(name: string, html: string): string {
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escaped(name)}">${html}</div>`;
}

export function verdictMark(verdict: VerdictWord): string {
  return `<span class="verdict ${verdict.toLowerCase()}"><span aria-hidden="true">${SIGNS[verdict]}</span> ${verdict}</span>`;
}

function tableRow([name, ...cells]: readonly string[]): string {
  const tds = cells.map((cell) => `<td>${cellHtml(cell)}</td>`);
  return `<tr><th scope="row">${escaped(name!).replaceAll('/', '/<wbr>')}</th>${tds.join('')}</tr>`;
}

function cellHtml(cell: string): string {
  const verdict = VERDICTS.find((word) => word === cell);
  return verdict ? verdictMark(verdict) : escaped(cell);
}
