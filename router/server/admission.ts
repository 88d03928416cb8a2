/** What became of a piece of work that was asked for. */
export type Admitted<T> =
  | { readonly outcome: 'done'; readonly value: T }
  | { readonly outcome: 'overloaded' }
  | { readonly outcome: 'timed-out' };

/** Bounds how much is at work at once and how long anybody waits for it. */
export interface Admission {
  /**
   * Runs the work if there is room. Rejects where the work rejects. The signal is aborted when nobody waits any
   * more; a place stays taken until the work itself has ended, so that abandoned work counts too.
   */
  run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<Admitted<T>>;
  atWork(): number;
}

export function createAdmission(limits: {
  readonly maxConcurrency: number;
  readonly timeoutMs: number;
}): Admission {
  let atWork = 0;
  return {
    atWork: () => atWork,
    run(work) {
      if (atWork >= limits.maxConcurrency) return Promise.resolve({ outcome: 'overloaded' });
      atWork++;
      return new Promise((resolve, reject) => {
        const controller = new AbortController();
        const timer = setTimeout(() => {
          controller.abort();
          resolve({ outcome: 'timed-out' });
        }, limits.timeoutMs);
        const leave = () => {
          clearTimeout(timer);
          atWork--;
        };
        work(controller.signal).then(
          (value) => {
            leave();
            resolve({ outcome: 'done', value });
          },
          (error) => {
            leave();
            reject(error);
          },
        );
      });
    },
  };
}
