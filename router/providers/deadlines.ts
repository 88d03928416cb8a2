import type { Break } from './broken.ts';

/** What each deadline says when it passes. */
const SENTENCES: Partial<Record<Break, string>> = {
  'connect-timeout': 'No connection in time.',
  'first-byte': 'No first byte in time.',
  stall: 'The answer fell silent.',
  'too-long': 'The answer took too long.',
};

const NEVER = Number.POSITIVE_INFINITY;

/**
 * The deadlines of one exchange: one for the whole, and one for the step that it is in. Times are in ms. They share one timer, which is moved
 * only for an earlier deadline: one that has gone away costs nothing, and a stream that sets one at each chunk sets no timer.
 */
export class Deadlines {
  readonly #passed: (reason: Break, sentence: string) => void;
  #wholeAt = NEVER;
  #stepAt = NEVER;
  #step: Break = 'connect-timeout';
  #timer: NodeJS.Timeout | undefined;
  #timerAt = NEVER;

  constructor(passed: (reason: Break, sentence: string) => void) {
    this.#passed = passed;
  }

  whole(ms: number): void {
    this.#wholeAt = performance.now() + ms;
    this.#watch();
  }

  /** Ends the step before it. */
  step(reason: Break, ms: number): void {
    this.#step = reason;
    this.#stepAt = performance.now() + ms;
    this.#watch();
  }

  /** A wait inside a step is under the step's own clock. */
  stepUnlessAny(reason: Break, ms: number): void {
    if (this.#stepAt === NEVER) this.step(reason, ms);
  }

  endStep(): void {
    this.#stepAt = NEVER;
  }

  clear(): void {
    this.#wholeAt = NEVER;
    this.#stepAt = NEVER;
    clearTimeout(this.#timer);
    this.#timerAt = NEVER;
  }

  #watch(): void {
    const nextAt = Math.min(this.#wholeAt, this.#stepAt);
    if (nextAt >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = nextAt;
    this.#timer = setTimeout(() => this.#look(), Math.max(0, Math.ceil(nextAt - performance.now())));
  }

  #look(): void {
    this.#timerAt = NEVER;
    const now = performance.now();
    if (now >= this.#stepAt) this.#passed(this.#step, SENTENCES[this.#step] ?? '');
    else if (now >= this.#wholeAt) this.#passed('too-long', SENTENCES['too-long']!);
    else this.#watch();
  }
}
