const waiting: (() => void)[] = [];

/** A request whose text is longer does its work in turns. */
const LARGE_CHARACTERS = 256 * 1024;

/** Whether a request is large enough that its work is noticed by others. */
export function isLarge(bodyText: string): boolean {
  return bodyText.length >= LARGE_CHARACTERS;
}

/**
 * Runs a piece of work that takes a noticeable time, such as parsing megabytes: one piece in each turn of the event loop, so that many
 * large requests hold up small ones no longer than a single piece. In the order of calling.
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
    waiting[0]!();
  } finally {
    waiting.shift();
    if (waiting.length > 0) setImmediate(runNext);
  }
}
