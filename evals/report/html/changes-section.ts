import type { Verdict } from '../../../router/artifact/index.ts';
import { conditionChangeRows, figureChangeRows, verdictChangeSentence } from '../change-rows.ts';
import { changesSince } from '../changes.ts';
import { htmlTable } from './html-table.ts';

/** What has changed since an earlier verdict, condition by condition; the figures folded away. */
export function changesSection(previous: Verdict, verdict: Verdict): string {
  const changes = changesSince(previous, verdict);
  const figures = figureChangeRows(changes);
  return `<section><h2>Against the previous verdict</h2>
<p>${[verdictChangeSentence(changes), ...changes.caveats].join(' ')}</p>
${htmlTable('Conditions before and now', conditionChangeRows(changes))}
${figures.length > 1 ? `<h3>Figures</h3>${htmlTable('Figures before and now', figures)}` : ''}
</section>`;
}
