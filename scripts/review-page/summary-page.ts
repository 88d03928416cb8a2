import {
  agreementHtml,
  type Chosen,
  caseHtml,
  GRADE_NAMES,
  gradeBar,
  helpButton,
  helpDialog,
  type ReviewDesk,
  reviewersHtml,
  timeHtml,
} from '../../router/grading/index.ts';
import { type Html, html, type Part } from '../../router/markup.ts';
import { COMMAND } from '../../router/package.ts';
import { shellWord } from '../../router/shell-word.ts';
import { layout, notice } from './layout.ts';

const WHO = 'lead';

/** How far the review is, how far its reviewers agree, and where they do not. Names no model: who settles must not know either. */
export function summaryPage(
  review: ReviewDesk,
  {
    files,
    link,
  }: { readonly files: string; readonly link?: { readonly name: string; readonly url: string } },
): string {
  return layout({
    title: 'Summary',
    who: WHO,
    main: html`<div class="page"><h1>Summary</h1>
${link && html`<p class="notice note" role="status">A new link for ${link.name}, which works once: <a href="${link.url}">${link.url}</a></p>`}
<section><h2>Reviewers</h2>
${reviewersHtml(review, table)}
<details><summary>New link for a reviewer</summary><form method="post" action="/summary/link" class="inline"><label>Reviewer <select name="reviewer">${review.reviewers.map((name) => html`<option>${name}</option>`)}</select></label><button type="submit">Make a link</button></form></details>
</section>
<section><h2>Agreement</h2>${agreementHtml(review.agreement(), table)}</section>
<section><h2>To be settled</h2>${toSettleHtml(review)}</section>
<section><h2>Labels</h2><p>This makes labels of people of the grades. The mean of the reviewers counts, and where a disagreement was settled, the settlement.</p>
<div class="code" role="group" aria-label="Command" tabindex="0"><pre><code>${COMMAND} review read --cases … --key ${shellWord(`${files}.key.json`)} --reviews ${shellWord(files)} --out reviewed.jsonl</code></pre></div></section></div>`,
  });
}

function toSettleHtml(review: ReviewDesk): Html {
  const cases = review.casesToSettle();
  if (cases.length === 0)
    return html`<p>Nothing so far: cases on which reviewers disagree, or of which nobody could tell, are listed here.</p>`;
  const open = cases.filter((id) => review.settlementOf(id) === undefined).length;
  return html`<p>${cases.length} ${cases.length === 1 ? 'case' : 'cases'} on which reviewers disagree or of which nobody could tell; ${open} open.</p>
<ul class="disagreements">${cases.map((id) => {
    const at = review.cases.indexOf(id);
    const settled = review.settlementOf(id) !== undefined;
    return html`<li><a href="/summary/case/${at + 1}">Case ${at + 1}</a> <span class="${settled ? 'settled' : 'open'}">${settled ? 'Settled' : 'Open'}</span></li>`;
  })}</ul>`;
}

export interface SettlePageOptions {
  readonly said?: { readonly text: string; readonly kind: 'note' | 'fault' };
  readonly chosen?: Chosen | undefined;
  readonly withScores: boolean;
}

/** A case with what each reviewer said about it, to be settled. @param id of a case of the review */
export function settlePage(
  review: ReviewDesk,
  id: string,
  { said, chosen, withScores }: SettlePageOptions,
): string {
  const items = review.itemsToSettle(id);
  const settled = review.settlementOf(id);
  const at = review.cases.indexOf(id);
  const given = review.gradesOn(id);
  const under = (place: number) => {
    const item = items[place]?.item;
    return html`<ul class="given">${given.map(({ reviewer, repeat, grades, note }) => {
      const one = grades.find((graded) => graded.item === item);
      const score = one?.score === undefined ? '' : `, score ${one.score}`;
      return (
        one &&
        html`<li class="${one.grade}"><b>${reviewer}</b>${repeat && ' (after the swap)'}: ${GRADE_NAMES[one.grade]}${score}${note !== undefined && html`<span class="muted"> – ${note}</span>`}</li>`
      );
    })}</ul>`;
  };
  return layout({
    title: `Settle case ${at + 1}`,
    who: WHO,
    top: helpButton(),
    skipTo: { id: 'grades', name: 'the grades' },
    after: helpDialog(items.length, false),
    main: html`<h1 class="hidden">Settle case ${at + 1}</h1>
${notice(said?.text, said?.kind)}${settled && html`<p class="state">Settled at ${timeHtml(settled.at)}.</p>`}
${caseHtml(review.content(id, items), under)}
${gradeBar({
  form: { action: `/summary/case/${at + 1}` },
  replies: items.length,
  chosen: chosen ?? settled ?? { grades: [] },
  revision: settled?.line ?? 0,
  withScores,
  saveLabel: settled ? 'Save the change' : 'Settle',
  buttons: html`<a class="button" href="/summary" data-key="b" aria-keyshortcuts="b">Back<kbd aria-hidden="true">B</kbd></a>`,
})}`,
  });
}

/** Scrolls inside its own box on a narrow page. */
function table(name: string, heading: readonly string[], rows: readonly (readonly Part[])[]): Html {
  return html`<div class="scroll" role="group" tabindex="0" aria-label="${name}"><table><thead><tr>${heading.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map(([first, ...cells]) => html`<tr><th scope="row">${first}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}
