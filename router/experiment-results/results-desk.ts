import { setTimeout as pause } from 'node:timers/promises';
import { definitionHash, type Experiment, readWatermark } from '../experiments/index.ts';
import { resultWithin } from '../result-within.ts';
import type { Documents, Log } from '../state/index.ts';
import { type ExperimentResults, resultsSoFar } from './results.ts';
import { resultsFeed } from './results-feed.ts';
import { type ShadowedModel, shadowResults } from './shadow-results.ts';

/** What an experiment came to, as far as the log has been read. */
export interface ResultsLook {
  /** For a split or a canary. */
  readonly arms: ExperimentResults | undefined;
  /** Requests that have ended, and are counted once all that arrived before them have. */
  readonly waiting: number;
  /** For a shadow; undefined until its calls were read once. */
  readonly models: readonly ShadowedModel[] | undefined;
  /** When the log was last read to its end; undefined: it has not been yet. */
  readonly wholeAtMs: number | undefined;
  /** The time of the last record that was read; undefined if there is none. */
  readonly untilMs: number | undefined;
  readonly isReading: boolean;
  /** Whether the last reading broke off because the state could not be read. */
  readonly isFailing: boolean;
}

/** Answers at once with what it has, and reads on in the background. */
export interface ResultsDesk {
  /** @param startedAt since when requests count, as the state of the experiment says it */
  look(experiment: Experiment, startedAt: string): Promise<ResultsLook>;
}

export interface DeskTimes {
  readonly nowMs?: () => number;
  /** How long a look waits for a reading that has just begun: a short log is read in this time. */
  readonly waitMs?: number;
  /** What was read is read on after this time at the earliest, and after ten times as long as the last reading took. */
  readonly everyMs?: number;
  /** What nobody looked at for so long is forgotten: it takes memory. */
  readonly idleMs?: number;
}

const WAIT_MS = 400;
const EVERY_MS = 5_000;
const IDLE_MS = 600_000;
/** Reading takes a tenth of the time at most. */
const REST = 10;
/** Records at a time. It rests for as long as they took, so that what the server serves comes first. */
const PAGE = 100;
const LONGEST_PAUSE_MS = 100;

interface Entry {
  readonly read: () => Promise<void>;
  readonly found: () => Pick<ResultsLook, 'arms' | 'models' | 'waiting'>;
  untilMs: number | undefined;
  wholeAtMs: number | undefined;
  nextMs: number;
  lookedMs: number;
  isFailing: boolean;
  reading: Promise<void> | undefined;
}

interface Stores {
  readonly log: Pick<Log, 'read'>;
  readonly documents: Documents;
}

/** One log is read at a time, however many experiments are looked at. */
export function openResultsDesk(stores: Stores, times: DeskTimes = {}): ResultsDesk {
  const { nowMs = Date.now, waitMs = WAIT_MS, everyMs = EVERY_MS, idleMs = IDLE_MS } = times;
  const entries = new Map<string, Entry>();
  let queue: Promise<void> = Promise.resolve();

  function begin(entry: Entry): void {
    entry.reading = queue = queue.then(async () => {
      const beganMs = nowMs();
      entry.isFailing = await entry.read().then(
        () => false,
        () => true,
      );
      const endedMs = nowMs();
      if (!entry.isFailing) entry.wholeAtMs = endedMs;
      entry.nextMs = endedMs + Math.max(everyMs, REST * (endedMs - beganMs));
      entry.reading = undefined;
    });
  }

  function forget(): void {
    for (const [key, { lookedMs, reading }] of entries)
      if (reading === undefined && nowMs() - lookedMs >= idleMs) entries.delete(key);
  }

  function entryOf(experiment: Experiment, startedAt: string): Entry {
    const key = `${experiment.name} ${definitionHash(experiment)} ${startedAt}`;
    const entry = entries.get(key) ?? entryFor(experiment, Date.parse(startedAt), stores);
    entries.set(key, entry);
    entry.lookedMs = nowMs();
    setTimeout(forget, idleMs).unref();
    return entry;
  }

  return {
    async look(experiment, startedAt) {
      const entry = entryOf(experiment, startedAt);
      if (entry.reading === undefined && nowMs() >= entry.nextMs) begin(entry);
      if (entry.reading !== undefined) await resultWithin(entry.reading, waitMs);
      const { untilMs, wholeAtMs, isFailing, reading } = entry;
      return { ...entry.found(), untilMs, wholeAtMs, isFailing, isReading: reading !== undefined };
    },
  };
}

function entryFor(experiment: Experiment, startedMs: number, { log, documents }: Stores): Entry {
  let resumedMs = performance.now();
  /** Takes its time, and notes how far it is. */
  const calmly: Pick<Log, 'read'> = {
    async read(stream, page) {
      const worked = performance.now() - resumedMs;
      await pause(Math.min(worked, LONGEST_PAUSE_MS), undefined, { ref: false });
      resumedMs = performance.now();
      const records = await log.read(stream, page);
      if (page.limit > 1)
        entry.untilMs = Math.max(entry.untilMs ?? 0, records.at(-1)?.timeMs ?? 0) || undefined;
      return records;
    },
  };
  const reader = experiment.kind === 'shadow' ? shadowReader(experiment.name) : armsReader(experiment);
  const entry: Entry = {
    ...reader,
    untilMs: undefined,
    wholeAtMs: undefined,
    nextMs: 0,
    lookedMs: 0,
    isFailing: false,
    reading: undefined,
  };
  return entry;

  function armsReader(randomized: Exclude<Experiment, { kind: 'shadow' }>): Pick<Entry, 'read' | 'found'> {
    const results = resultsSoFar(randomized, startedMs, 1 - randomized.confidence);
    const watermark = () => readWatermark(documents);
    const feed = resultsFeed(calmly, startedMs, results, true, { watermark, limit: PAGE });
    return {
      read: feed.read,
      found: () => ({ arms: results.results(), models: undefined, waiting: feed.waiting() }),
    };
  }

  function shadowReader(name: string): Pick<Entry, 'read' | 'found'> {
    let models: readonly ShadowedModel[] | undefined;
    return {
      async read() {
        models = await shadowResults(calmly, name, startedMs);
      },
      found: () => ({ arms: undefined, models, waiting: 0 }),
    };
  }
}
