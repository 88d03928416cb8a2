import type { HourCount, HourCounts, TimeSpan } from './ports.ts';

/** Batches whose ids are remembered; one that comes again comes within seconds. */
const MAX_BATCHES = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The counts of one process, gone with it. */
export function memoryHourCounts(): HourCounts {
  const held = new Map<string, HourCount>();
  const batches = new Set<string>();

  const within = ({ fromMs, untilMs }: TimeSpan) =>
    [...held.values()].filter(({ startMs }) => startMs >= fromMs && startMs < untilMs);

  function addOne(count: HourCount): void {
    const name = `${count.startMs}\0${count.measure}\0${count.label}`;
    held.set(name, { ...count, amount: count.amount + (held.get(name)?.amount ?? 0) });
  }

  return {
    async add(batchId, counts) {
      if (batches.has(batchId)) return;
      batches.add(batchId);
      for (const old of batches) {
        if (batches.size <= MAX_BATCHES) break;
        batches.delete(old);
      }
      for (const count of counts) addOne(count);
    },
    async totals(span) {
      const sums = new Map<string, Omit<HourCount, 'startMs'>>();
      for (const { measure, label, amount } of within(span)) {
        const name = `${measure}\0${label}`;
        sums.set(name, { measure, label, amount: amount + (sums.get(name)?.amount ?? 0) });
      }
      return [...sums.values()];
    },
    async series(span, measures, every) {
      const lengthMs = every === 'day' ? DAY_MS : HOUR_MS;
      const sums = new Map<string, Omit<HourCount, 'label'>>();
      for (const count of within(span)) {
        if (!measures.includes(count.measure)) continue;
        const startMs = Math.floor(count.startMs / lengthMs) * lengthMs;
        const { measure, amount } = count;
        const name = `${startMs}\0${measure}`;
        sums.set(name, { startMs, measure, amount: amount + (sums.get(name)?.amount ?? 0) });
      }
      return [...sums.values()].sort((a, b) => a.startMs - b.startMs);
    },
    async prune(beforeMs) {
      const old = [...held].filter(([, { startMs }]) => startMs < beforeMs);
      for (const [name] of old) held.delete(name);
      return old.length;
    },
  };
}
