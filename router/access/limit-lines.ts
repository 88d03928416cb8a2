import type { AppliedLimit } from './limit-rules.ts';
import { createQueue, type Queue } from './queue.ts';

/** Where requests wait for room in a limit: one line a scope and bounds, whose head tries again until it has room. */
export function createLimitLines() {
  const lines = new Map<string, Queue>();
  return {
    waiting: (limit: AppliedLimit): boolean => (lines.get(nameOf(limit))?.atWork() ?? 0) > 0,
    /** The line of a limit, with its bounds. */
    of(limit: AppliedLimit): Queue {
      const known = lines.get(nameOf(limit));
      if (known !== undefined) return known;
      for (const [name, line] of lines) if (line.atWork() === 0) lines.delete(name);
      const { maxWaiting, maxWaitMs } = limit.whenFull!;
      const line = createQueue({ maxConcurrency: 1, maxQueue: maxWaiting, maxWaitMs });
      lines.set(nameOf(limit), line);
      return line;
    },
    close(): void {
      for (const line of lines.values()) line.close();
    },
  };
}

/** A reload may give a limit other bounds: those already waiting stay in their line. */
function nameOf({ scope, whenFull }: AppliedLimit): string {
  return `${scope}\0${whenFull?.maxWaiting}\0${whenFull?.maxWaitMs}`;
}
