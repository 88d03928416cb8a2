/** Decisions that were made elsewhere: files of them, and the cases that they are of. */

export { type MatchedDecisions, matchDecisions } from './match-decisions.ts';
