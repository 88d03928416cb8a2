import { LightAbortSignal } from '../abort-signal.ts';

/** Why a batch takes up no more lines. `left`: this process ends, or has lost the batch to another one, which goes on. */
export type StopReason = 'cancelled' | 'expired' | 'failed' | 'left';

/** The longest sleep: clocks may be set, and computers be put to sleep. */
const SLICE_MS = 1_000;

/** Ends waits, and what is at work only if it is cut off. */
export class Stop {
  /** Aborted once no more lines are to be sent. */
  readonly waits = new LightAbortSignal();
  /** Aborted once what is at work is of no use any more. */
  readonly calls = new LightAbortSignal();
  #reason: StopReason | undefined;

  get reason(): StopReason | undefined {
    return this.#reason;
  }

  /** Lines that are at work go on. The first reason counts, but whoever has left has left. */
  stop(reason: StopReason): void {
    if (this.#reason === undefined || reason === 'left') this.#reason = reason;
    this.waits.abort(new Error(reason));
  }

  /** Lines that are at work are given up. */
  cutOff(): void {
    this.stop('left');
    this.calls.abort(new Error('left'));
  }

  /** Sleeps until a time by the given clock, or until it is over or stopped. */
  async sleepUntil(untilMs: number, now: () => number, isOver: () => boolean = () => false): Promise<void> {
    while (!this.waits.aborted && now() < untilMs && !isOver())
      await this.#sleep(Math.min(SLICE_MS, untilMs - now()));
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.waits.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, Math.max(1, ms));
      this.waits.addEventListener('abort', end);
    });
  }
}
