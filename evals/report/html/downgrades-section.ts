import type { Evidence } from '../../gate/index.ts';
import { lossWord, rateWord } from '../number-words.ts';
import { escaped, escapedText } from './escaped.ts';
import { scrolling } from './html-table.ts';

export type Texts = ReadonlyMap<string, string>;

/** The largest losses by id. A verdict holds no prompt text: it is shown only where the caller brings it. */
export function downgradesSection({ silent_downgrades: downgrades }: Evidence, texts: Texts): string {
  const { margin, rate, worst } = downgrades;
  const sentence = `${rateWord(rate)} of the cases lose more than ${lossWord(margin)} of quality against the strong candidate, with no sign of it in the answer.`;
  return `<section><h2>Worst silent downgrades</h2>
<p>${sentence}</p>
${worst.length === 0 ? '<p class="muted">No case was answered worse than by the strong candidate.</p>' : worstTable(worst, texts)}
</section>`;
}

function worstTable(worst: Evidence['silent_downgrades']['worst'], texts: Texts): string {
  const withText = worst.some(({ id }) => texts.has(id));
  const rows = worst.map(
    ({ id, loss, predicted_loss }) =>
      `<tr><th scope="row"><code>${escaped(id)}</code></th><td>${lossWord(loss)}</td><td>${lossWord(predicted_loss)}</td>${withText ? promptCell(texts.get(id)) : ''}</tr>`,
  );
  const head = ['case', 'loss', 'predicted loss'].map((name) => `<th scope="col">${name}</th>`).join('');
  const textHead = withText ? '<th scope="col" class="prompt">text</th>' : '';
  return scrolling(
    'Worst silent downgrades',
    `<table><thead><tr>${head}${textHead}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`,
  );
}

function promptCell(text: string | undefined): string {
  return `<td class="prompt"><div>${text === undefined ? '–' : escapedText(text)}</div></td>`;
}
