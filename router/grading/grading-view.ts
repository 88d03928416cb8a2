import { type Html, html } from '../markup.ts';
import { caseHtml, type GradingForm, gradeBar, hiddenFields, timeHtml } from './case-view.ts';
import type { Chosen } from './grades.ts';
import { helpDialog } from './help.ts';
import type { ReviewDesk, Screen, Share } from './review-desk.ts';

/** Where the links and forms of a queue lead: it stands on two servers. */
export interface GradingPlaces {
  readonly screen: (screen: Screen) => string;
  readonly grade: (screen: Screen) => GradingForm;
  readonly skip: (screen: Screen) => GradingForm;
  readonly undo: GradingForm;
}

/** A reviewer's queue, and where its pages are. */
export interface Grader {
  readonly review: ReviewDesk;
  readonly name: string;
  readonly places: GradingPlaces;
}

export interface GradingViewOptions {
  readonly withScores: boolean;
  /** What is to be said about the last request, such as why nothing was saved. */
  readonly said?: Html | undefined;
  /** What was chosen but not saved. */
  readonly chosen?: Chosen | undefined;
}

/** `Case 3 of 40`. */
export function screenTitle({ review, name }: Grader, screen: Screen): string {
  const queue = review.queue(name);
  return `Case ${queue.indexOf(screen) + 1} of ${queue.length}`;
}

/** The request, its replies without names, and a choice for each. */
export function gradingHtml(grader: Grader, screen: Screen, options: GradingViewOptions): Html {
  const { review, name, places } = grader;
  const { withScores, said, chosen } = options;
  const queue = review.queue(name);
  const at = queue.indexOf(screen);
  const entry = review.entryOn(name, screen);
  const isGraded = entry?.kind === 'grade';
  const [before, following] = [queue[at - 1], queue[at + 1]];
  const state =
    entry &&
    html`<p class="state">${isGraded ? 'You graded this at' : 'You put this off at'} ${timeHtml(entry.at)}.</p>`;
  return html`<h1 class="hidden">${screenTitle(grader, screen)}</h1>
${said}${state}
${caseHtml(review.content(screen.case, screen.items))}
${gradeBar({
  form: places.grade(screen),
  replies: screen.items.length,
  chosen: chosen ?? (isGraded ? { grades: entry.grades ?? [], note: entry.note } : { grades: [] }),
  revision: entry?.line ?? 0,
  withScores,
  saveLabel: isGraded ? 'Save the change' : 'Save and next',
  buttons: html`${screenLink(grader, 'Back', 'B', before)}${
    entry !== undefined && screenLink(grader, 'Forward', 'F', following)
  }${undoButton(grader)}${
    !isGraded &&
    html`<button type="submit" form="skip" data-key="s" aria-keyshortcuts="s">Skip<kbd aria-hidden="true">S</kbd></button>`
  }`,
})}`;
}

/** The forms that buttons of `gradingHtml` refer to, and the list of keys. */
export function gradingForms(grader: Grader, screen: Screen): Html {
  const { review, name, places } = grader;
  const isGraded = review.entryOn(name, screen)?.kind === 'grade';
  const skip = places.skip(screen);
  return html`${!isGraded && html`<form id="skip" method="post" action="${skip.action}">${hiddenFields(skip)}<input type="hidden" name="revision" value="0"></form>`}
${undoForm(grader)}${helpDialog(screen.items.length, true)}`;
}

function screenLink({ places }: Grader, name: string, key: string, to: Screen | undefined): Html | undefined {
  if (to === undefined) return undefined;
  return html`<a class="button" href="${places.screen(to)}" data-key="${key.toLowerCase()}" aria-keyshortcuts="${key.toLowerCase()}" >${name}<kbd aria-hidden="true">${key}</kbd></a>`;
}

function undoButton({ review, name }: Grader): Html | undefined {
  if (review.lastOf(name) === undefined) return undefined;
  return html`<button type="submit" form="undo" data-key="u" aria-keyshortcuts="u">Undo<kbd aria-hidden="true">U</kbd></button>`;
}

function undoForm({ review, name, places }: Grader): Html | undefined {
  const last = review.lastOf(name);
  if (last === undefined) return undefined;
  return html`<form id="undo" method="post" action="${places.undo.action}">${hiddenFields(places.undo)}<input type="hidden" name="line" value="${last.line}"></form>`;
}

/** How much of a queue is graded. */
export function progressHtml({ review, name }: Pick<Grader, 'review' | 'name'>): Html {
  const { graded, skipped, total } = review.progress(name);
  return html`<label class="progress"><span class="hidden">Graded</span><progress max="${total}" value="${graded}"></progress>
<span class="count">${graded} of ${total}${skipped > 0 && html`, ${skipped} skipped`}</span></label>`;
}

/** What a queue is called when nothing is left to show. */
export function queueEndTitle({ review, name }: Pick<Grader, 'review' | 'name'>): string {
  const { skipped } = review.progress(name);
  return skipped === 0 ? 'All done' : `${skipped} skipped`;
}

/** Where a reviewer is when nothing is left to show: what was skipped, and the last case. */
export function queueEndHtml(grader: Grader): Html {
  const { review, name, places } = grader;
  const { graded, skipped, total } = review.progress(name);
  const queue = review.queue(name);
  const putOff = queue.filter((one) => review.entryOn(name, one)?.kind === 'skip');
  const last = queue.findLast((one) => review.entryOn(name, one) !== undefined);
  return html`<p>${
    skipped === 0
      ? `You have graded all ${total} cases of your queue. Every grade is saved, and you may close this page.`
      : `You have graded ${graded} of ${total}. What you skipped can still be graded, or left.`
  }</p>
${changedLine(review.habits(name).changed)}
${putOff.length > 0 && html`<ul class="links">${putOff.map((one) => html`<li><a href="${places.screen(one)}">Case ${queue.indexOf(one) + 1}</a></li>`)}</ul>`}
<p class="actions">${screenLink(grader, 'Back', 'B', last)}${undoButton(grader)}</p>`;
}

/** The form that a button of `queueEndHtml` refers to, and the list of keys. */
export function queueEndForms(grader: Grader): Html {
  return html`${undoForm(grader)}${helpDialog(0, true)}`;
}

function changedLine({ count, n }: Share): Html | undefined {
  if (n === 0) return undefined;
  if (n === 1) {
    return html`<p class="muted">One case came twice, with the replies in the other order. You graded it ${count === 0 ? 'the same' : 'differently'} the second time.</p>`;
  }
  return html`<p class="muted">${n} cases came twice, with the replies in the other order. You graded ${count} of them differently the second time.</p>`;
}
