import { LightAbortSignal } from '../abort-signal.ts';

/** The reply of one candidate, as far as it has come. */
export class AskedReply {
  readonly candidate: string;
  readonly model: string;
  state: 'waiting' | 'streaming' | 'done' | 'failed' = 'waiting';
  text = '';
  /** Why it failed, in a sentence. */
  fault: string | undefined;
  /** The reply was longer than a page shows, and is not whole. */
  isCut = false;
  finishReason: string | undefined;
  /** From the start of the call, in ms. */
  firstTokenMs: number | undefined;
  totalMs: number | undefined;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  /** Undefined if the model has no price, or nobody said how many tokens it was. */
  costUsd: number | undefined;
  readonly signal = new LightAbortSignal();

  constructor(candidate: string, model: string) {
    this.candidate = candidate;
    this.model = model;
  }

  get isOver(): boolean {
    return this.state === 'done' || this.state === 'failed';
  }

  /** Whether somebody can say if it is good: all of it is there. */
  get isWhole(): boolean {
    return this.state === 'done' && !this.isCut;
  }

  stop(): void {
    if (!this.isOver) this.signal.abort(new Error('nobody waits for the reply any more'));
  }

  fail(why: string): void {
    this.state = 'failed';
    this.fault = why;
  }
}
