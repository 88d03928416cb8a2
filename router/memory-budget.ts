import { getHeapStatistics } from 'node:v8';

/** A body may be held as chunks, as text, as parsed values and as what is sent on: this many budgets must fit into memory. */
const COPIES = 6;
/** Requests that hold more than this leave the last quarter of the budget to smaller ones, so that a few large ones do not stop all. */
const SMALL_BYTES = 256 * 1024;
const SHARE_OF_LARGE = 0.75;

/** The memory that all requests together may hold: their bodies, decompressed, and replies that are not sent on as they come. */
export class MemoryBudget {
  readonly maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  heldBytes(): number {
    return this.#heldBytes;
  }

  /** The share of a new request; it starts empty. */
  share(): MemoryShare {
    return new MemoryShare(this);
  }

  /** Whether a request may hold this much if nothing else is held. */
  couldHold(bytes: number): boolean {
    return bytes <= this.#limitFor(bytes);
  }

  /** Lets a request that holds `held` bytes hold `more`, if there is room. */
  take(held: number, more: number): boolean {
    if (this.#heldBytes + more > this.#limitFor(held + more)) return false;
    this.#heldBytes += more;
    return true;
  }

  /** Adds what cannot be refused. */
  count(bytes: number): void {
    this.#heldBytes += bytes;
  }

  #limitFor(bytes: number): number {
    return bytes <= SMALL_BYTES ? this.maxBytes : this.maxBytes * SHARE_OF_LARGE;
  }
}

/** What one request holds. */
export class MemoryShare {
  readonly #budget: MemoryBudget;
  #bytes = 0;
  #released = false;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds to what it holds; false, and nothing is added, if there is no room or the request has ended. */
  add(bytes: number): boolean {
    if (this.#released || !this.#budget.take(this.#bytes, bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Adds what cannot be refused; others are refused instead. */
  count(bytes: number): void {
    if (this.#released) return;
    this.#budget.count(bytes);
    this.#bytes += bytes;
  }

  /** Reduces what it holds. */
  giveBack(bytes: number): void {
    this.count(-bytes);
  }

  /** Must be called when the request has ended; further calls do nothing. */
  release(): void {
    this.giveBack(this.#bytes);
    this.#released = true;
  }
}

/** A sixth of what the process may use: the limit of its heap, or that of its container if that is less. */
export function defaultBudgetBytes(
  heapBytes: number = getHeapStatistics().heap_size_limit,
  containerBytes: number = process.constrainedMemory() || Number.POSITIVE_INFINITY,
): number {
  return Math.floor(Math.min(heapBytes, containerBytes) / COPIES);
}
