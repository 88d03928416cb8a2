/** Thrown for one row that cannot be used. Caught where rows are read: it becomes a RejectedRow and the run goes on. */
export class BadRow extends Error {
  /** Where in the row, for example outcomes.gpt-4o.quality. */
  readonly field: string | undefined;
  /** What is wrong with it, in words that never quote a prompt. */
  readonly reason: string;

  constructor(reason: string, field?: string) {
    super(field === undefined ? reason : `${field}: ${reason}`);
    this.name = 'BadRow';
    this.field = field;
    this.reason = reason;
  }
}
