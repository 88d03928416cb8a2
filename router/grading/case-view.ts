import { type Html, html, type Part } from '../markup.ts';
import { BEST_SCORE, type Chosen, GRADES, type Grade, LONGEST_NOTE } from './grades.ts';
import { referenceHtml, replyHtml, requestHtml } from './reading.ts';
import type { CaseContent } from './review-desk.ts';

const LETTERS = ['A', 'B', 'C'];
/** `Reply A`: its name says nothing of its model. */
export function replyName(at: number): string {
  return `Reply ${LETTERS[at] ?? at + 1}`;
}

export const GRADE_NAMES: Readonly<Record<Grade, string>> = {
  good: 'Good enough',
  bad: 'Not good enough',
  unclear: 'Cannot tell',
};
const SHORT_NAMES: Readonly<Record<Grade, string>> = {
  good: 'Good',
  bad: 'Not good',
  unclear: 'Cannot tell',
};

/** The request, what is right if that is known, and the replies side by side. @param under what stands under each reply */
export function caseHtml(
  { messages, reference, replies }: CaseContent,
  under: (at: number) => Part = () => undefined,
): Html {
  return html`<section class="request" aria-labelledby="request"><h2 id="request">Request</h2>${requestHtml(messages)}</section>
${
  reference !== undefined &&
  html`<section class="request reference" aria-labelledby="reference"><h2 id="reference">What is right</h2>${referenceHtml(reference)}</section>`
}
<div class="replies of-${replies.length}">${replies.map(
    (reply, at) =>
      html`<section class="reply" aria-labelledby="reply-${at}"><h2 id="reply-${at}">${replyName(at)}</h2>${replyHtml(reply)}${under(at)}</section>`,
  )}</div>`;
}

/** Where a form goes, and what it carries besides what a person fills in. */
export interface GradingForm {
  readonly action: string;
  readonly fields?: Readonly<Record<string, string | undefined>>;
}

export function hiddenFields({ fields = {} }: GradingForm): Html[] {
  return Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
}

export interface GradeBarOptions {
  readonly form: GradingForm;
  readonly replies: number;
  readonly chosen: Chosen;
  /** `line` of the entry that the page shows, 0 for none. */
  readonly revision: number;
  readonly withScores: boolean;
  readonly saveLabel: string;
  /** Links and buttons before the one that saves. */
  readonly buttons?: Part;
}

/** The form with a choice for each reply, which stays at the bottom of the window. */
export function gradeBar(options: GradeBarOptions): Html {
  const { form, replies, chosen, revision, withScores, saveLabel, buttons } = options;
  const { note = '' } = chosen;
  return html`<form class="bar" id="grades" method="post" action="${form.action}" autocomplete="off" data-grades tabindex="-1" aria-label="Grades">
${hiddenFields(form)}<input type="hidden" name="revision" value="${revision}">
<div class="choices of-${replies}">${Array.from({ length: replies }, (_, at) => choiceHtml(at, chosen, withScores))}</div>
<div class="actions">
<details class="note" ${note !== '' && html`open`}><summary>Note<kbd aria-hidden="true">N</kbd></summary>
<label>Why, or what is missing<textarea name="note" rows="2" maxlength="${LONGEST_NOTE}">${note}</textarea></label></details>
${buttons}
<p class="said" role="status" data-said></p>
<button class="primary" type="submit" data-key="Enter" aria-keyshortcuts="Enter"><span class="long">${saveLabel}</span><span class="short" aria-hidden="true">${saveLabel.split(' ')[0]}</span><kbd aria-hidden="true">↵</kbd></button>
</div>
</form>`;
}

function choiceHtml(at: number, { grades }: Chosen, withScores: boolean): Html {
  const { grade: chosen, score } = grades[at] ?? {};
  const radios = GRADES.map((grade, place) => {
    const key = String(at * GRADES.length + place + 1);
    return html`<label class="grade ${grade}"><input type="radio" name="grade-${at}" value="${grade}" ${chosen === grade && html`checked`} data-key="${key}" aria-keyshortcuts="${key}"><span><span class="long">${GRADE_NAMES[grade]}</span><span class="short" aria-hidden="true">${SHORT_NAMES[grade]}</span><kbd aria-hidden="true">${key}</kbd></span></label>`;
  });
  return html`<fieldset><legend>${replyName(at)}</legend><div class="radios">${radios}</div>${
    withScores &&
    html`<label class="score">Score, 0 to ${BEST_SCORE}, if you like <input type="number" name="score-${at}" min="0" max="${BEST_SCORE}" step="1" inputmode="numeric" value="${score ?? ''}"></label>`
  }</fieldset>`;
}

/** A moment for people, in UTC: reviewers and who reads the grades may be in different zones. */
export function timeHtml(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}
