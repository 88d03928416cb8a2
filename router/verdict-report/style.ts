import { readFileSync } from 'node:fs';

/** The style of `verdictSections`, as CSS: its colours are --ink, --muted, --rule, --accent and --paper of the page. */
export function reportStyle(): string {
  return readFileSync(new URL('./browser/verdict-report.css', import.meta.url), 'utf8');
}
