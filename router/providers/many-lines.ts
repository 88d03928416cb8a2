import type { ProviderLine } from './exchange-fetch.ts';
import type { AttemptTimeouts } from './types.ts';

/**
 * One line for a call that takes several exchanges with its provider, after one another or at once: each of them is opened with
 * what is left of `totalMs`, and `head` and `broken` tell of the one that broke first, else of the latest.
 */
export function manyLines(
  open: (timeouts: AttemptTimeouts) => ProviderLine,
  timeouts: AttemptTimeouts,
): ProviderLine {
  const startedAt = performance.now();
  const lines: ProviderLine[] = [];
  const broken = () => lines.find((line) => line.broken() !== undefined);
  return {
    fetch: (input, init) => {
      const totalMs = Math.max(1, timeouts.totalMs - (performance.now() - startedAt));
      const line = open({ ...timeouts, totalMs });
      lines.push(line);
      return line.fetch(input, init);
    },
    head: () => (broken() ?? lines.at(-1))?.head(),
    broken: () => broken()?.broken(),
    notes: () => Object.assign({}, ...lines.map((line) => line.notes())),
    close: () => {
      for (const line of lines) line.close();
    },
  };
}
