import {
  caseHtml,
  GRADE_NAMES,
  type GradedItem,
  type Grader,
  gradeBar,
  gradingForms,
  gradingHtml,
  helpButton,
  helpDialog,
  progressHtml,
  queueEndForms,
  queueEndHtml,
  queueEndTitle,
  type ReviewDesk,
  readGrades,
  replyName,
  type SourceOrder,
  timeHtml,
} from '../grading/index.ts';
import { type Html, html } from '../markup.ts';
import { counted } from './format.ts';
import { sourceName } from './labels-sources.ts';
import type { PageContext } from './page.ts';
import type { FoundReview } from './review-holder.ts';
import type { Visitor } from './sessions.ts';

/** Shown in place of a case to somebody who has nothing left to grade. */
export const QUEUE_END = 'end';

type Open = Extract<FoundReview, { kind: 'open' }>;

/** The visitor's queue: one case without names of models; what is said when none is left. Undefined if there is no such case in it. */
export function labelQueueHtml(context: PageContext, open: Open, id: string | undefined): Html | undefined {
  const { visitor, outcome } = context;
  const { review, options } = open;
  const { name } = visitor;
  // Who has graded before a restart goes on; others say that they want a part of the cases.
  if (!review.reviewers.includes(name) && review.lastOf(name) !== undefined) review.join(name);
  if (!review.reviewers.includes(name)) return beginHtml(visitor, review);
  const grader = { review, name, places: placesOf(visitor) };
  const isOpen = review.queue(name).some((one) => review.entryOn(name, one) === undefined);
  if (id === QUEUE_END && !isOpen) return endHtml(grader, visitor);
  const isNext = id === undefined || id === QUEUE_END;
  const screen = isNext ? review.next(name) : review.screen(name, id);
  if (screen === undefined) return isNext ? endHtml(grader, visitor) : undefined;
  const read = outcome?.sent && readGrades(outcome.sent, screen.items.length);
  const chosen = read && ('fault' in read ? read.chosen : read.given);
  return html`<div class="heading"><p class="muted"><a href="/dashboard/labels">Labels</a></p><div class="actions">${progressHtml(grader)}${helpButton()}</div></div>
<div class="grading">${gradingHtml(grader, screen, { withScores: options.scores, chosen })}</div>
${gradingForms(grader, screen)}`;
}

function placesOf({ formToken: form }: Visitor): Grader['places'] {
  return {
    screen: ({ id }) => `/dashboard/labels/review/${id}`,
    grade: ({ id: screen }) => ({ action: '/dashboard/grade-case', fields: { form, screen } }),
    skip: ({ id: screen }) => ({ action: '/dashboard/skip-case', fields: { form, screen } }),
    undo: { action: '/dashboard/undo-grade', fields: { form } },
  };
}

function beginHtml({ name, formToken }: Visitor, review: ReviewDesk): Html {
  return html`<div class="heading"><div><p class="muted"><a href="/dashboard/labels">Labels</a></p><h1>Grade replies</h1></div></div>
<section class="panel"><p>You see one request at a time with the replies to it, in an order that chance decides, and without the names of the models. You say of each reply whether it is good enough. A part of the cases goes to every reviewer, so that it can be told how far you agree.</p>
<p>Your grades are kept under the name <strong>${name}</strong>. There are ${counted(review.cases.length, 'case')}.</p>
<form method="post" action="/dashboard/begin-review"><input type="hidden" name="form" value="${formToken}"><button class="primary">Begin</button></form></section>`;
}

function endHtml(grader: Grader, { formToken }: Visitor): Html {
  const { review, name } = grader;
  const others = review.reviewers.filter((one) => one !== name);
  const left = review.cases.length - review.gradedCases;
  return html`<div class="heading"><div><p class="muted"><a href="/dashboard/labels">Labels</a></p><h1>${queueEndTitle(grader)}</h1></div>${helpButton()}</div>
<section class="panel grading">${queueEndHtml(grader)}
${
  left > 0 &&
  others.length > 0 &&
  html`<p>Nobody has graded ${counted(left, 'case')} yet, which ${left === 1 ? 'is' : 'are'} in the queues of others. If they are not at it, take them over.</p>
<form method="post" action="/dashboard/take-over-cases"><input type="hidden" name="form" value="${formToken}"><button>Take them over</button></form>`
}</section>
${queueEndForms(grader)}`;
}

/** The case with this number, from 1, in the order of the draw. */
export function caseAt(review: ReviewDesk, number: string | null | undefined): string | undefined {
  return /^\d{1,9}$/.test(number ?? '') ? review.cases[Number(number) - 1] : undefined;
}

/** One case with what was said about it, to be settled; before the visitor has chosen to see that, what it means to. */
export function labelCaseHtml(
  context: PageContext,
  { review, options }: Open,
  number: string | undefined,
): Html | undefined {
  const { visitor, outcome } = context;
  const id = caseAt(review, number);
  if (id === undefined) return undefined;
  const fields = { form: visitor.formToken, case: number };
  const heading = html`<p class="muted"><a href="/dashboard/labels">Labels</a></p>`;
  if (!review.hasSeen(visitor.name, id)) {
    return html`<div class="heading"><div>${heading}<h1>Case ${number}</h1></div></div>
<section class="panel"><p>This shows the request, its replies without the names of their models, and what reviewers and other labels say of each, so that you can settle which label counts.</p>
<p>From then on you cannot grade this case in your own queue, nor change a grade that you gave it: it would not be independent.</p>
<form method="post" action="/dashboard/reveal-case"><input type="hidden" name="form" value="${visitor.formToken}"><input type="hidden" name="case" value="${number}"><button class="primary">Show what was said</button></form></section>`;
  }
  const items = review.itemsToSettle(id);
  const settled = review.settlementOf(id);
  const read = outcome?.sent && readGrades(outcome.sent, items.length);
  const chosen = read && ('fault' in read ? read.chosen : read.given);
  return html`<div class="heading"><div>${heading}</div>${helpButton()}</div>
<div class="grading"><h1 class="hidden">Settle case ${number}</h1>
${settled && html`<p class="state">Settled at ${timeHtml(settled.at)}.</p>`}
${caseHtml(review.content(id, items), (at) => saidHtml(review, id, items[at]))}
${ordersHtml(review.othersOn(id, items))}
${gradeBar({
  form: { action: '/dashboard/settle-case', fields },
  replies: items.length,
  chosen: chosen ?? settled ?? { grades: [] },
  revision: settled?.line ?? 0,
  withScores: options.scores,
  saveLabel: settled ? 'Save the change' : 'Settle',
  buttons: html`<a class="button" href="/dashboard/labels" data-key="b" aria-keyshortcuts="b">Back<kbd aria-hidden="true">B</kbd></a>`,
})}</div>
${helpDialog(items.length, false)}`;
}

/** What each reviewer said about one reply. */
function saidHtml(review: ReviewDesk, id: string, item: GradedItem | undefined): Html {
  const said = review.gradesOn(id).flatMap(({ reviewer, repeat, grades, note }) => {
    const one = grades.find((graded) => graded.item === item?.item);
    return one === undefined ? [] : [{ reviewer, repeat, note, ...one }];
  });
  if (said.length === 0) return html`<p class="muted">Nobody has graded it.</p>`;
  return html`<ul class="given">${said.map(
    ({ reviewer, repeat, note, grade, score }) =>
      html`<li class="${grade}"><b>${reviewer}</b>${repeat && ' (after the swap)'}: ${GRADE_NAMES[grade]}${score !== undefined && `, score ${score}`}${note !== undefined && html`<span class="muted"> – ${note}</span>`}</li>`,
  )}</ul>`;
}

function ordersHtml(orders: readonly SourceOrder[]): Html | undefined {
  if (orders.length === 0) return undefined;
  return html`<section class="request" aria-labelledby="orders"><h2 id="orders">Other labels</h2><ul class="plain">${orders.map(
    ({ source, places }) =>
      html`<li>${sourceName(source)}: ${places.map((alike) => alike.map(replyName).join(' and ')).join(', then ')}${places.length === 1 && places[0]!.length > 1 && ', alike'}</li>`,
  )}</ul></section>`;
}
