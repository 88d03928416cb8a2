/** What became of a piece of work that was asked for. */
export type Admitted<T> =
  | { readonly outcome: 'done'; readonly value: T }
  | { readonly outcome: 'overloaded' }
  | { readonly outcome: 'timed-out' };

/** Tells work that nobody waits for it any more. An AbortSignal would cost as much as all else that is done here. */
export interface Abandonment {
  readonly abandoned: boolean;
}

/** Bounds how much is at work at once and how long anybody waits for it. */
export interface Admission {
  /**
   * Runs the work if there is room. Rejects where the work rejects. A place stays taken until the work itself has ended, so that abandoned work counts too.
   */
  run<T>(work: (waiting: Abandonment) => Promise<T>): Promise<Admitted<T>>;
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
        const waiting = { abandoned: false };
        const timer = setTimeout(() => {
          waiting.abandoned = true;
          resolve({ outcome: 'timed-out' });
        }, limits.timeoutMs);
        const leave = () => {
          clearTimeout(timer);
          atWork--;
        };
        work(waiting).then(
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
