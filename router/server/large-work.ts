const waiting: (() => void)[] = [];

/**
 * Runs work that takes a noticeable time, such as parsing megabytes: one piece in each turn of the event loop, so that several at once
 * hold up small requests no longer than one. In the order of calling.
 */
export function takeTurn(work: () => void): void {
  waiting.push(work);
  if (waiting.length === 1) setImmediate(runNext);
}

function runNext(): void {
  try {
    waiting[0]!();
  } finally {
    waiting.shift();
    if (waiting.length > 0) setImmediate(runNext);
  }
}
