import {
  type Chosen,
  type Grader,
  type GradingPlaces,
  gradingForms,
  gradingHtml,
  helpButton,
  progressHtml,
  queueEndForms,
  queueEndHtml,
  queueEndTitle,
  type ReviewDesk,
  type Screen,
  screenTitle,
} from '../../router/grading/index.ts';
import { html } from '../../router/markup.ts';
import { layout, notice } from './layout.ts';

export interface GradePageOptions {
  readonly withScores: boolean;
  /** What is to be said about the last request, such as why nothing was saved. */
  readonly said?: { readonly text: string; readonly kind: 'note' | 'fault' };
  /** What was chosen but not saved. */
  readonly chosen?: Chosen | undefined;
}

const PLACES: GradingPlaces = {
  screen: ({ id }) => `/grade/${id}`,
  grade: ({ id }) => ({ action: `/grade/${id}` }),
  skip: ({ id }) => ({ action: `/skip/${id}` }),
  undo: { action: '/undo' },
};

/** One case for one reviewer. */
export function gradePage(
  review: ReviewDesk,
  reviewer: string,
  screen: Screen,
  { withScores, said, chosen }: GradePageOptions,
): string {
  const grader: Grader = { review, name: reviewer, places: PLACES };
  return layout({
    title: screenTitle(grader, screen),
    who: reviewer,
    top: html`${progressHtml(grader)}${helpButton()}`,
    skipTo: { id: 'grades', name: 'the grades' },
    main: gradingHtml(grader, screen, { withScores, said: notice(said?.text, said?.kind), chosen }),
    after: gradingForms(grader, screen),
  });
}

/** Where a reviewer is when nothing is left to show. */
export function donePage(review: ReviewDesk, reviewer: string): string {
  const grader: Grader = { review, name: reviewer, places: PLACES };
  const title = queueEndTitle(grader);
  return layout({
    title,
    who: reviewer,
    top: html`${progressHtml(grader)}${helpButton()}`,
    main: html`<div class="message"><h1>${title}</h1>
${queueEndHtml(grader)}</div>`,
    after: queueEndForms(grader),
  });
}
