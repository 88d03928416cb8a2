/** A case as people grade it: the request, replies without names, a choice for each; and what a review has to be able to do for its pages. */
export { agreementHtml, coefficientText, reviewersHtml, shareText } from './agreement-view.ts';
export { caseHtml, GRADE_NAMES, type GradingForm, gradeBar, replyName, timeHtml } from './case-view.ts';
export { GRADING_FILES, type GradingFile, gradingFile } from './files.ts';
export {
  BEST_SCORE,
  type Chosen,
  type GivenGrade,
  type GivenGrades,
  GRADES,
  type Grade,
  LONGEST_NOTE,
  type ReadGrades,
  readGrades,
} from './grades.ts';
export {
  type Grader,
  type GradingPlaces,
  type GradingViewOptions,
  gradingForms,
  gradingHtml,
  progressHtml,
  queueEndForms,
  queueEndHtml,
  queueEndTitle,
  screenTitle,
} from './grading-view.ts';
export { helpButton, helpDialog } from './help.ts';
export { laidOutJson, requestHtml, textHtml } from './reading.ts';
export type {
  Agreement,
  CaseContent,
  CaseGrades,
  CaseSettlement,
  Coefficient,
  Contradiction,
  GradedItem,
  Habits,
  Interval,
  LabelCalls,
  LabelCount,
  LabelSurvey,
  PairAgreement,
  Progress,
  ReviewDesk,
  Saved,
  Screen,
  ScreenEntry,
  Share,
  SourceComparison,
  SourceOrder,
} from './review-desk.ts';
