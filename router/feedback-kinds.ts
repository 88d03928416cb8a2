/** What a client saw its user do with a reply. Here, because a server without a gateway has the schema and loads no records. */
export const FEEDBACK_SIGNALS = [
  'regenerated',
  'edited',
  'copied',
  'retried_stronger',
  'tool_error',
] as const;
export type FeedbackSignal = (typeof FEEDBACK_SIGNALS)[number];

/** What one entry says. Of each kind a decision has at most one: the first. */
export const FEEDBACK_KINDS = ['score', 'correct_answer', 'comment', ...FEEDBACK_SIGNALS] as const;
export type FeedbackKind = (typeof FEEDBACK_KINDS)[number];
