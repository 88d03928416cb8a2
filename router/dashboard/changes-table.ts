import { type Html, html } from '../markup.ts';
import { DASH } from './format.ts';
import type { SettingChange } from './settings.ts';
import { table } from './table.ts';

/** Settings as they are and as they would be. */
export function changesTable(name: string, changes: readonly SettingChange[]): Html {
  const cell = (value: string | undefined) =>
    value === undefined ? DASH : html`<code class="wraps">${value}</code>`;
  return table(
    name,
    ['Field', 'Before', 'After'],
    changes.map(({ field, before, after }) => [html`<code>${field}</code>`, cell(before), cell(after)]),
  );
}
