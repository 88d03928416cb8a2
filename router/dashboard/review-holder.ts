import type { Config } from '../config/index.ts';
import { PlimsollError } from '../errors.ts';
import type { ReviewDesk } from '../grading/index.ts';
import type { ServeOptions } from '../serving.ts';

type Options = NonNullable<Config['review']>;

/** What there is to grade. */
export type FoundReview =
  | { readonly kind: 'open'; readonly review: ReviewDesk; readonly options: Options }
  /** The configuration names no cases. */
  | { readonly kind: 'none' }
  /** A sentence says why it could not be opened; each visit tries again. */
  | { readonly kind: 'closed'; readonly why: string };

/** The review of the configuration: opened with the first visit, since the files of cases may be large, and once for all visitors. */
export class ReviewHolder {
  readonly #open: ServeOptions['review'];
  readonly #config: () => Config;
  #opened: { readonly of: string; readonly review: Promise<ReviewDesk> } | undefined;

  constructor(open: ServeOptions['review'], config: () => Config) {
    this.#open = open;
    this.#config = config;
  }

  async find(): Promise<FoundReview> {
    const { review: options } = this.#config();
    if (options === undefined) {
      await this.close();
      return { kind: 'none' };
    }
    if (this.#open === undefined) return { kind: 'closed', why: WITHOUT_CASES };
    const of = JSON.stringify(options);
    if (this.#opened?.of !== of) {
      await this.close();
      this.#opened ??= { of, review: this.#open(options) };
    }
    const { review } = this.#opened!;
    try {
      return { kind: 'open', review: await review, options };
    } catch (error) {
      if (this.#opened?.review === review) this.#opened = undefined;
      if (error instanceof PlimsollError && error.code !== 'internal')
        return { kind: 'closed', why: error.message };
      throw error;
    }
  }

  /** Lets other processes open it. */
  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.review.then(
      (review) => review.close(),
      () => {},
    );
  }
}

const WITHOUT_CASES =
  'This server was started by a program that knows no labelled cases: plimsoll serve does.';
