import { type Html, html, type Part } from '../markup.ts';

/** A heading for screen readers. */
export function unseenHeading(name: string): Html {
  return html`<span class="hidden">${name}</span>`;
}

/**
 * A table that scrolls inside its own box on a narrow page. The first column names the row.
 * @param name for screen readers
 */
export function table(name: string, heading: readonly Part[], rows: readonly (readonly Part[])[]): Html {
  if (rows.length === 0) return html`<p class="muted empty">Nothing yet.</p>`;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Table: ${name}"><table><thead><tr>${heading.map(
    (cell) => html`<th scope="col">${cell}</th>`,
  )}</tr></thead><tbody>${rows.map(
    ([first, ...cells]) =>
      html`<tr><th scope="row">${first}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}

/** Names and values, one below the other. */
export function facts(pairs: readonly (readonly [string, Part])[]): Html {
  return html`<dl class="facts">${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
