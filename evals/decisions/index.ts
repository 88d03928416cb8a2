/** Decisions that were made elsewhere: files of them, and the cases that they are of. */

export { modelByRule, type RuledCase, ruledCases } from './by-rules.ts';
export { type MatchedDecisions, matchDecisions } from './match-decisions.ts';
