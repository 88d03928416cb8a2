/** Why it cannot be said what would become of a request. */
export const UNKNOWN_REASONS = [
  'no-scores', // nothing was scored, because a fixed policy or a rule decided, and its prompt is not on record
  'no-artifact', // the record is from before records named the artifact
  'other-artifact', // its scores are of another artifact, and its prompt is not on record
  'other-candidates', // the ladder has a candidate that it has no score for
  'no-such-profile',
  'no-such-policy',
  'no-such-model', // it named a model that is not configured any more
  'rule-reads-more', // a rule asks for what the record does not have
  'reply-not-judged', // a cascade would look at a reply that nobody judged then
] as const;
export type UnknownReason = (typeof UNKNOWN_REASONS)[number];

/** A record that does not say enough to be decided again. */
export class Undecidable extends Error {
  readonly why: UnknownReason;

  constructor(why: UnknownReason) {
    super(why);
    this.name = 'Undecidable';
    this.why = why;
  }
}
