import type { Review, Screen, Share } from '../../evals/review/index.ts';
import { type Html, html } from '../../router/markup.ts';
import { type Chosen, caseHtml, gradeBar, timeHtml } from './case-view.ts';
import { helpButton, helpDialog } from './help.ts';
import { layout, notice } from './layout.ts';

export interface GradePageOptions {
  readonly withScores: boolean;
  /** What is to be said of the last request, such as why nothing was saved. */
  readonly said?: { readonly text: string; readonly kind: 'note' | 'fault' };
  /** What was chosen but not saved. */
  readonly chosen?: Chosen | undefined;
}

/** One case for one reviewer. */
export function gradePage(
  review: Review,
  reviewer: string,
  screen: Screen,
  options: GradePageOptions,
): string {
  const { withScores, said, chosen } = options;
  const queue = review.queue(reviewer);
  const at = queue.indexOf(screen);
  const entry = review.entryOn(reviewer, screen);
  const graded = entry?.kind === 'grade' ? entry : undefined;
  const content = review.content(screen.case, screen.items);
  const [before, following] = [queue[at - 1], queue[at + 1]];
  const state =
    entry &&
    html`<p class="state">${graded ? 'You graded this at' : 'You put this off at'} ${timeHtml(entry.at)}.</p>`;
  return layout({
    title: `Case ${at + 1} of ${queue.length}`,
    who: reviewer,
    top: progressHtml(review, reviewer),
    skipTo: { id: 'grades', name: 'the grades' },
    main: html`<h1 class="hidden">Case ${at + 1} of ${queue.length}</h1>
${notice(said?.text, said?.kind)}${state}
${caseHtml(content)}
${gradeBar({
  action: `/grade/${screen.id}`,
  replies: screen.items.length,
  chosen: chosen ?? graded ?? { grades: [] },
  revision: entry?.line ?? 0,
  withScores,
  saveLabel: graded ? 'Save the change' : 'Save and next',
  buttons: html`${navigation('Back', 'B', before)}${
    entry !== undefined && navigation('Forward', 'F', following)
  }${undoButton(review, reviewer)}${
    graded === undefined &&
    html`<button type="submit" form="skip" data-key="s" aria-keyshortcuts="s">Skip<kbd aria-hidden="true">S</kbd></button>`
  }`,
})}`,
    after: html`${graded === undefined && html`<form id="skip" method="post" action="/skip/${screen.id}"><input type="hidden" name="revision" value="0"></form>`}
${undoForm(review, reviewer)}${helpDialog(screen.items.length, true)}`,
  });
}

function navigation(name: string, key: string, to: Screen | undefined): Html | undefined {
  if (to === undefined) return undefined;
  return html`<a class="button" href="/grade/${to.id}" data-key="${key.toLowerCase()}" aria-keyshortcuts="${key.toLowerCase()}" >${name}<kbd aria-hidden="true">${key}</kbd></a>`;
}

function undoButton(review: Review, reviewer: string): Html | undefined {
  if (review.lastOf(reviewer) === undefined) return undefined;
  return html`<button type="submit" form="undo" data-key="u" aria-keyshortcuts="u">Undo<kbd aria-hidden="true">U</kbd></button>`;
}

function undoForm(review: Review, reviewer: string): Html | undefined {
  const last = review.lastOf(reviewer);
  if (last === undefined) return undefined;
  return html`<form id="undo" method="post" action="/undo"><input type="hidden" name="line" value="${last.line}"></form>`;
}

function progressHtml(review: Review, reviewer: string): Html {
  const { graded, skipped, total } = review.progress(reviewer);
  return html`<label class="progress"><span class="hidden">Graded</span><progress max="${total}" value="${graded}"></progress>
<span class="count">${graded} of ${total}${skipped > 0 && html`, ${skipped} skipped`}</span></label>
${helpButton()}`;
}

/** Where a reviewer is when nothing is left to show. */
export function donePage(review: Review, reviewer: string): string {
  const { graded, skipped, total } = review.progress(reviewer);
  const queue = review.queue(reviewer);
  const putOff = queue.filter((one) => review.entryOn(reviewer, one)?.kind === 'skip');
  const last = queue.findLast((one) => review.entryOn(reviewer, one) !== undefined);
  const title = skipped === 0 ? 'All done' : `${skipped} skipped`;
  return layout({
    title,
    who: reviewer,
    top: progressHtml(review, reviewer),
    main: html`<div class="message"><h1>${title}</h1>
<p>${
      skipped === 0
        ? `You have graded all ${total} cases of your queue. Every grade is saved, and you may close this page.`
        : `You have graded ${graded} of ${total}. What you skipped can still be graded, or left.`
    }</p>
${changedLine(review.habits(reviewer).changed)}
${putOff.length > 0 && html`<ul class="links">${putOff.map((one) => html`<li><a href="/grade/${one.id}">Case ${queue.indexOf(one) + 1}</a></li>`)}</ul>`}
<p class="actions">${navigation('Back', 'B', last)}${undoButton(review, reviewer)}</p></div>`,
    after: html`${undoForm(review, reviewer)}${helpDialog(0, true)}`,
  });
}

function changedLine({ count, n }: Share): Html | undefined {
  if (n === 0) return undefined;
  if (n === 1) {
    return html`<p class="muted">One case came twice, with the replies in the other order. You graded it ${count === 0 ? 'the same' : 'differently'} the second time.</p>`;
  }
  return html`<p class="muted">${n} cases came twice, with the replies in the other order. You graded ${count} of them differently the second time.</p>`;
}
