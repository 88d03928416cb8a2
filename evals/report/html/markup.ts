import { VERDICTS, type VerdictWord } from '../../../router/artifact/index.ts';
import { escapeMarkup } from '../../../router/markup.ts';
import { VERDICT_SIGNS } from '../../../router/verdict-report/index.ts';
import { oneLine, printableText } from '../../format.ts';

/** Escapes a name for HTML text and attributes. */
export function escapeHtml(text: string): string {
  return withoutMarkup(oneLine(text));
}

/** Escapes a prompt, whose line breaks stay. */
export function escapePrompt(text: string): string {
  return withoutMarkup(printableText(text));
}

/**
 * Rows as a table that scrolls inside its own box on a narrow page. The first row is the heading, the first column names the row; a
 * verdict gets its sign.
 */
export function htmlTable(name: string, [heading = [], ...body]: readonly (readonly string[])[]): string {
  const head = heading.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join('');
  return scrollBox(
    name,
    `<table><thead><tr>${head}</tr></thead><tbody>${body.map(tableRow).join('\n')}</tbody></table>`,
  );
}

/** Focusable, so that it scrolls by keyboard too. */
export function scrollBox(name: string, html: string): string {
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escapeHtml(name)}">${html}</div>`;
}

/** A plot, with what a reader needs who cannot see it. */
export interface Figure {
  readonly title: string;
  /** What is drawn and how to read it; plain text. */
  readonly caption: string;
  /** SVG, already escaped. */
  readonly svg: string;
  /** The plotted numbers as a table, heading first. */
  readonly numbers: readonly (readonly string[])[];
}

export function figureHtml({ title, caption, svg, numbers }: Figure): string {
  return `<figure aria-label="${escapeHtml(title)}">
<figcaption><strong>${escapeHtml(title)}.</strong> ${escapeHtml(caption)}</figcaption>
${scrollBox(`Plot: ${title}`, svg)}
<details><summary>The numbers</summary>${htmlTable(`Numbers: ${title}`, numbers)}</details>
</figure>`;
}

function verdictMark(verdict: VerdictWord): string {
  return `<span class="verdict ${verdict.toLowerCase()}"><span aria-hidden="true">${VERDICT_SIGNS[verdict]}</span> ${verdict}</span>`;
}

function tableRow([name = '', ...cells]: readonly string[]): string {
  const tds = cells.map((cell) => `<td>${cellHtml(cell)}</td>`);
  return `<tr><th scope="row">${escapeHtml(name).replaceAll('/', '/<wbr>')}</th>${tds.join('')}</tr>`;
}

function cellHtml(cell: string): string {
  const verdict = VERDICTS.find((word) => word === cell);
  return verdict ? verdictMark(verdict) : escapeHtml(cell);
}

function withoutMarkup(text: string): string {
  return escapeMarkup(text).replaceAll("'", '&#39;');
}
