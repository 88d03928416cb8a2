import type { AbortSignalLike } from '../abort-signal.ts';

/** How often tasks are looked up that a request waits for: another instance may have got the reply. */
const LOOK_MS = 500;
/** One look in this many, from the first on, reports that requests still wait here. */
const LOOKS_A_HOLD = 30;

/** Requests that wait for something to happen to a task, here or at another instance. */
export class Waiting {
  readonly #look: (ids: readonly string[], mayHold: boolean) => Promise<readonly string[]>;
  #looks = 0;
  readonly #waking = new Map<string, Set<() => void>>();
  #timer: NodeJS.Timeout | undefined;

  /** @param look which of these tasks need nobody's patience any more, in one query; with `mayHold` it also says that the others wait here */
  constructor(look: (ids: readonly string[], mayHold: boolean) => Promise<readonly string[]>) {
    this.#look = look;
  }

  /** Resolves when the task is over, after `ms`, or when the client leaves. Never rejects. */
  until(id: string, ms: number, signal: AbortSignalLike): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        const others = this.#waking.get(id);
        others?.delete(wake);
        if (others?.size === 0) this.#waking.delete(id);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
      this.#waking.set(id, (this.#waking.get(id) ?? new Set()).add(wake));
      this.#timer ??= setTimeout(() => void this.#lookUp(), LOOK_MS).unref();
      if (signal.aborted) wake();
    });
  }

  /** The task is over. */
  wake(id: string): void {
    for (const wake of this.#waking.get(id) ?? []) wake();
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const id of this.#waking.keys()) this.wake(id);
  }

  async #lookUp(): Promise<void> {
    const ids = [...this.#waking.keys()];
    if (ids.length > 0) {
      // A database that is away is asked again; the request waits until its deadline.
      const over = await this.#look(ids, this.#looks++ % LOOKS_A_HOLD === 0).catch(() => []);
      for (const id of over) this.wake(id);
    }
    this.#timer =
      this.#waking.size === 0 ? undefined : setTimeout(() => void this.#lookUp(), LOOK_MS).unref();
  }
}
