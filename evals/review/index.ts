/** People label replies: in a table, or on a page. What they see, what they said, how far they agree, and the labels that it makes. */
export type { Agreement, Coefficient, Interval, PairAgreement } from './agreement.ts';
export { BEST_SCORE, GRADES, type Grade, type GradeEntry, LONGEST_NOTE } from './grades.ts';
export type { Habits, Share } from './habits.ts';
export type { ReviewStyle } from './key.ts';
export { type OpenedReview, type OpenReviewOptions, openReview, requireReviewers } from './open-review.ts';
export type { Screen } from './queue.ts';
export { type ReadReview, type ReadReviewOptions, readReview } from './read-review.ts';
export type { CaseContent, GivenGrade, GivenGrades, Progress, Review, Saved } from './review.ts';
export { type WriteReviewOptions, type WrittenReview, writeReview } from './table.ts';
