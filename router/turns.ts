const waiting: (() => void)[] = [];

/** Requests with a longer text do their work in turns. */
const LARGE_CHARACTERS = 256 * 1024;

/** Whether a request is so large that others would notice its work. */
export function isLarge(bodyText: string): boolean {
  return bodyText.length >= LARGE_CHARACTERS;
}

/**
 * Runs work that takes a noticeable time, such as parsing megabytes: one call in each turn of the event loop, in order, so that many
 * large requests delay small ones no longer than a single call.
 */
export function takeTurn(work: () => void): void {
  waiting.push(work);
  if (waiting.length === 1) setImmediate(runNext);
}

/** Resolves in a turn of its own. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => takeTurn(resolve));
}

function runNext(): void {
  try {
    waiting[0]?.();
  } finally {
    waiting.shift();
    if (waiting.length > 0) setImmediate(runNext);
  }
}
