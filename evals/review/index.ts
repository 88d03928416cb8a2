/** People label replies: in a table, or on a page. What they see, what they said, how far they agree, and the labels that it makes. */
export type { ReviewStyle } from './key.ts';
export {
  type OpenedReview,
  type OpenReviewOptions,
  openReview,
  openReviewDesk,
  requireReviewers,
} from './open-review.ts';
export { type ReadReview, type ReadReviewOptions, readReview } from './read-review.ts';
export type { Review } from './review.ts';
export { type WriteReviewOptions, type WrittenReview, writeReview } from './table.ts';
