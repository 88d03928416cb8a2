const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does short synchronous work that no signal may interrupt. While a signal has a listener, Node does not end the process, and the
 * listener itself waits until the work is done. Not for long work: Ctrl-C must end that at once.
 */
export function uninterrupted<T>(work: () => T): T {
  const wait = () => {};
  for (const signal of SIGNALS) process.on(signal, wait);
  try {
    return work();
  } finally {
    for (const signal of SIGNALS) process.off(signal, wait);
  }
}
