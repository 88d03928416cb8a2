import { formatRate } from '../../evals/format.ts';
import type {
  Coefficient,
  Habits,
  Interval,
  PairAgreement,
  Review,
  Share,
} from '../../evals/review/index.ts';
import { type Html, html, type Part } from '../../router/markup.ts';
import { shellWord } from '../../router/shell-word.ts';
import { type Chosen, caseHtml, GRADE_NAMES, gradeBar, timeHtml } from './case-view.ts';
import { helpButton, helpDialog } from './help.ts';
import { layout, notice } from './layout.ts';

const WHO = 'lead';
const DASH = '–';

/** How far the review is, how far its reviewers agree, and where they do not. Names no model: who settles must not know either. */
export function summaryPage(
  review: Review,
  {
    files,
    link,
  }: { readonly files: string; readonly link?: { readonly name: string; readonly url: string } },
): string {
  const { pairs, alpha } = review.agreement();
  const habits = review.reviewers.map((name) => [name, review.habits(name)] as const);
  return layout({
    title: 'Summary',
    who: WHO,
    main: html`<div class="page"><h1>Summary</h1>
${link && html`<p class="notice note" role="status">A new link for ${link.name}, which works once: <a href="${link.url}">${link.url}</a></p>`}
<section><h2>Reviewers</h2>
${table(
  'Reviewers',
  ['Reviewer', 'Graded', 'Put off', 'Cannot tell', 'Changed after the swap', 'Reply A best'],
  habits.map(([name, one]) => reviewerRow(review, name, one)),
)}
<p class="muted">Shares are of replies (cannot tell), of cases that came twice (changed), and of cases with one best reply (reply A best: about a half of two if the side does not matter). In brackets the exact 95 % interval.</p>
<details><summary>New link for a reviewer</summary><form method="post" action="/summary/link" class="inline"><label>Reviewer <select name="reviewer">${review.reviewers.map((name) => html`<option>${name}</option>`)}</select></label><button type="submit">Make a link</button></form></details>
</section>
<section><h2>Agreement</h2>${agreementHtml(pairs, alpha)}</section>
<section><h2>To be settled</h2>${toSettleHtml(review)}</section>
<section><h2>Labels</h2><p>This makes labels of people of the grades. The mean of the reviewers counts, and where a disagreement was settled, the settlement.</p>
<div class="code" role="group" aria-label="Command" tabindex="0"><pre><code>plimsoll review read --cases … --key ${shellWord(`${files}.key.json`)} --reviews ${shellWord(files)} --out reviewed.jsonl</code></pre></div></section></div>`,
  });
}

function reviewerRow(review: Review, name: string, { changed, firstBest, unclear }: Habits): Part[] {
  const { graded, skipped, total } = review.progress(name);
  return [
    name,
    `${graded} of ${total}`,
    skipped,
    shareText(unclear),
    shareText(changed),
    shareText(firstBest),
  ];
}

function agreementHtml(pairs: readonly PairAgreement[], alpha: Coefficient): Html {
  if (alpha.items === 0) {
    return html`<p>No case has grades of two reviewers yet.</p>`;
  }
  const rows = pairs.filter(({ kappa }) => kappa.items > 0);
  return html`${table(
    'Agreement of each two reviewers',
    ['Reviewers', 'Cases', 'Replies', 'Equal on all replies', 'Cohen’s kappa'],
    rows.map(({ reviewers, kappa, equal }) => [
      reviewers.join(' and '),
      kappa.cases,
      kappa.items,
      equal === undefined
        ? DASH
        : shareText({ count: equal.cases, n: kappa.cases, interval: equal.interval }),
      coefficientText(kappa),
    ]),
  )}
<p><strong>Krippendorff’s alpha</strong> of all reviewers: ${coefficientText(alpha)}, on ${alpha.items} replies of ${alpha.cases} cases.</p>
<details><summary>What these figures say</summary>
<p>Both are 1 if reviewers always agree and 0 if they agree no more often than chance would make them. Krippendorff asks for .8, and takes .667 to .8 for tentative conclusions. With few cases, or where nearly all replies are good, they move much: read the interval, and the share of cases on which all grades are equal.</p>
<p>In brackets are 95 % intervals, of kappa and alpha by a bootstrap over cases. There is none for fewer than 10 cases, and none while nobody disagrees. “Cannot tell” is no rating and is left out.</p></details>`;
}

function toSettleHtml(review: Review): Html {
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

/** A case with what each reviewer said of it, to be settled. @param id of a case of the review */
export function settlePage(
  review: Review,
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
  action: `/summary/case/${at + 1}`,
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

function shareText({ count, n, interval }: Share): string {
  if (n === 0) return DASH;
  return `${count} of ${n}${interval === undefined ? '' : ` (${rangeText(interval, formatRate)})`}`;
}

function coefficientText({ value, interval }: Coefficient): string {
  if (value === undefined) return DASH;
  const show = (one: number) => one.toFixed(2).replace('-', '−');
  return `${show(value)}${interval === undefined ? '' : ` (${rangeText(interval, show)})`}`;
}

function rangeText({ low, high }: Interval, show: (value: number) => string): string {
  return `${show(low)} to ${show(high)}`;
}
