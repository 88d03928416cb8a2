/*
 * The ports of the state: what the rest of Plimsoll may ask of it. Each is small, and each implementation passes the same contract suite
 * (test/state/contracts). Times are milliseconds since 1970. Everything that a client can reach is scoped by the id of its API key.
 */

/** Which record of a log. */
export interface RecordName {
  readonly stream: string;
  readonly id: string;
}

/** One record of a log. */
export interface LogRecord {
  /** Unique within its stream: a record that is appended twice is kept once, so that a failed append may be repeated. */
  readonly id: string;
  readonly timeMs: number;
  readonly keyId?: string | undefined;
  /** Whom it is about, as clients name them. Only a keyed hash is stored, by which `erase` finds the record. */
  readonly user?: string | undefined;
  readonly session?: string | undefined;
  /** The record whose user and session are this one's too, where it names none itself. They are copied when it is stored. */
  readonly sameSubjectAs?: RecordName | undefined;
  /** JSON, without anybody's words. */
  readonly body: string;
  /** What a person wrote; encrypted at rest if there is a key. */
  readonly text?: string | undefined;
}

export interface StoredRecord extends Pick<LogRecord, 'id' | 'timeMs' | 'keyId' | 'body' | 'text'> {
  /** Ascends in the order of storing, with gaps. */
  readonly seq: number;
}

/** A person or a conversation, as clients name them; with `keyId` only under that API key. */
export interface Subject {
  readonly user?: string;
  readonly session?: string;
  readonly keyId?: string;
}

export interface LogLimits {
  /** Older records are deleted. */
  readonly beforeMs?: number;
  /** The oldest records are deleted until the rest has at most this many bytes. */
  readonly maxBytes?: number;
}

export interface StreamSize {
  readonly stream: string;
  readonly records: number;
  readonly bytes: number;
  readonly oldestMs: number;
  readonly newestMs: number;
}

/** The stream that the decision log is. */
export const DECISIONS = 'decisions';
/** The stream with a record of each task of people that was paid for. */
export const PEOPLE_WORK = 'people';

/** Records that are only added, in streams such as `decisions`. */
export interface Log {
  /** All or none. */
  append(stream: string, records: readonly LogRecord[]): Promise<void>;
  /** One record; undefined if there is none. */
  get(stream: string, id: string): Promise<StoredRecord | undefined>;
  /** In the order of storing, after `afterSeq`. */
  read(
    stream: string,
    page: { readonly afterSeq: number; readonly limit: number },
  ): Promise<readonly StoredRecord[]>;
  /** The last records that were stored, the newest first. */
  newest(stream: string, limit: number): Promise<readonly StoredRecord[]>;
  /** Those that have a record, in the order of their names. */
  streams(): Promise<readonly string[]>;
  /** @returns how many records went */
  prune(stream: string, limits: LogLimits): Promise<number>;
  /** @returns how many records went, over all streams */
  erase(subject: Subject): Promise<number>;
  sizes(): Promise<readonly StreamSize[]>;
}

/** What one request cost. */
export interface LedgerEntry {
  /** An entry that is settled twice counts once. */
  readonly id: string;
  readonly keyId: string;
  readonly timeMs: number;
  readonly model: string;
  /** Billionths of a US dollar, a whole number: sums are exact. */
  readonly nanoUsd: number;
  /** All of the prompt, what was read from the provider's cache or written to it included. */
  readonly inputTokens: number;
  /** Those of them that were read from the provider's cache, as far as it reported that. Default 0. */
  readonly cachedInputTokens?: number;
  /** Those of them that were written to the provider's cache, as far as it reported that. Default 0. */
  readonly cacheWriteInputTokens?: number;
  readonly outputTokens: number;
}

/** Sums of entries. */
export interface Spending {
  readonly nanoUsd: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteInputTokens: number;
  readonly outputTokens: number;
  readonly requests: number;
}

/** What requests of one model cost. */
export interface ModelSpending extends Spending {
  readonly model: string;
}

/** A window of a limit: what is counted together, from a time until another. */
export interface LedgerWindow {
  /** Whose limit it is, such as `key=4f1c…`. */
  readonly scope: string;
  /** Its length and its unit, such as `24h usd`. */
  readonly window: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** How much of a window a request takes: whole numbers of the window's unit. */
export interface Charge extends LedgerWindow {
  readonly amount: number;
}

/** What a request may come to at most. */
export interface Reservation {
  /** At its most expensive; counted if the reservation is swept. */
  readonly entry: LedgerEntry;
  /** `cap`: the most that the window may hold, settled and reserved together. One charge a window. */
  readonly charges: readonly (Charge & { readonly cap: number })[];
  /** From then on `sweep` counts it as spent: whoever made it is gone. */
  readonly expiresMs: number;
}

export interface WindowSums {
  /** By requests in flight. */
  readonly reserved: number;
  /** By requests that ended. */
  readonly settled: number;
}

export interface ReserveOutcome {
  /** False: a window has no room, and nothing was reserved. */
  readonly isReserved: boolean;
  /** Each charge's window, in their order, after this. */
  readonly windows: readonly WindowSums[];
}

/** An entry with what it takes of its windows, in place of what was reserved there. */
export interface SettledEntry extends LedgerEntry {
  readonly charges?: readonly Charge[];
}

/**
 * Money, tokens and requests: never lost, never counted twice. A window never holds more than its cap, unless a request is settled at more
 * than it reserved. A reservation ends by exactly one of `settle`, `cancel` and `sweep`, whichever comes first.
 */
export interface Ledger {
  /** Reserves in all windows or in none, in one step for all processes. Again with the same id it does nothing. */
  reserve(reservation: Reservation): Promise<ReserveOutcome>;
  /** Resolves when no end of the process can lose the entries, nor, in PostgreSQL, a power cut. Entries of concurrent calls are written together. What was not reserved is added. */
  settle(entries: readonly SettledEntry[]): Promise<void>;
  /** Gives back what a request reserved that was never sent. */
  cancel(id: string): Promise<void>;
  /** Counts reservations that expired as spent. @returns how many */
  sweep(nowMs: number): Promise<number>;
  /** The windows that are open at that time and hold something, by scope. */
  windows(atMs: number): Promise<readonly (LedgerWindow & WindowSums)[]>;
  /** What one API key has spent since the beginning of a day in UTC. @param fromDay such as 2026-11-29 */
  spent(keyId: string, fromDay: string): Promise<Spending>;
  /**
   * Spending of the requests whose id has this prefix, by model: their entries, and what is reserved and not yet settled, in full. PostgreSQL reads all
   * entries for it.
   */
  spentByIdPrefix(prefix: string): Promise<readonly ModelSpending[]>;
  /** Drops single entries before that time, and windows that ended before it; the sums of days stay. @returns how many entries went */
  prune(beforeMs: number): Promise<number>;
}

export interface Lease {
  readonly name: string;
  /** Higher than that of every lease of this name before: whoever writes with a lower one is late and must be refused. */
  readonly fencingToken: number;
}

/** One holder at a time, until it lets go or its time is over. */
export interface Leases {
  /** Undefined if another holder has it. Whoever asks again under its own name gets a new token. */
  acquire(name: string, holder: string, ttlMs: number): Promise<Lease | undefined>;
  /** @returns whether it was still held */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  release(lease: Lease): Promise<void>;
}

/** Which document; `scope` is the id of the API key that it belongs to, empty for Plimsoll's own. */
export interface DocumentKey {
  readonly scope: string;
  readonly kind: string;
  readonly id: string;
}

export interface DocumentWrite {
  /** JSON. */
  readonly value: unknown;
  /** Undefined: it stays. */
  readonly ttlMs?: number | undefined;
  /** Write only if the document has this version; null: only if there is none. Undefined: in any case. */
  readonly expected?: string | null | undefined;
  /** Encrypted at rest if there is a key. */
  readonly sensitive?: boolean;
  /** Whom it is about: see `LogRecord`. */
  readonly user?: string | undefined;
  readonly session?: string | undefined;
}

export interface StoredDocument {
  readonly id: string;
  readonly value: unknown;
  /** Changes with each write, and never comes back. */
  readonly version: string;
}

/** JSON documents that are changed by compare-and-set and may expire. */
export interface Documents {
  get(key: DocumentKey): Promise<StoredDocument | undefined>;
  /** Those of the ids that there are, by id, in one query. */
  getMany(scope: string, kind: string, ids: readonly string[]): Promise<ReadonlyMap<string, StoredDocument>>;
  /** @returns the new version; undefined if `expected` did not hold */
  put(key: DocumentKey, write: DocumentWrite): Promise<string | undefined>;
  /** @returns whether there was one */
  delete(key: DocumentKey): Promise<boolean>;
  /** By id, at most `limit`. */
  list(scope: string, kind: string, limit: number): Promise<readonly StoredDocument[]>;
  /** @returns how many documents went */
  erase(subject: Subject): Promise<number>;
  /** Drops what has expired. @returns how many went */
  prune(): Promise<number>;
}

/** What happened in one hour, as a whole number: how often, how many tokens, how many billionths of a dollar. */
export interface HourCount {
  /** Beginning of the hour, in UTC. */
  readonly startMs: number;
  /** What is counted, such as `requests`. */
  readonly measure: string;
  /** The label, such as a model or an outcome; may be empty. Never text of a client. */
  readonly label: string;
  readonly amount: number;
}

/** A time from its beginning until before its end. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Sums by hour and by day (UTC), kept as things happen: what is asked of them takes as long after a million requests as after one. */
export interface HourCounts {
  /** Adds all or none. @param batchId a batch that is added twice counts once, so that a failed call may be repeated */
  add(batchId: string, counts: readonly HourCount[]): Promise<void>;
  /** Over all hours that begin within the span, by measure and label. Of whole days it reads a twenty-fourth as much. */
  totals(span: TimeSpan): Promise<readonly Omit<HourCount, 'startMs'>[]>;
  /** Some measures, hour by hour or day by day, over all labels. In the order of time; times in which nothing happened are left out. */
  series(
    span: TimeSpan,
    measures: readonly string[],
    every: 'hour' | 'day',
  ): Promise<readonly Omit<HourCount, 'label'>[]>;
  /** Drops hours and days that began before that time. @returns how many counts went */
  prune(beforeMs: number): Promise<number>;
}

export interface StateStatus {
  readonly kind: 'memory' | 'sqlite' | 'postgres';
  /** Without user and password. */
  readonly place: string;
  /** Number of the last migration that was applied. */
  readonly schema: number;
  readonly streams: readonly StreamSize[];
  readonly documents: number;
  readonly ledgerEntries: number;
  /** Key id -> how many texts are encrypted with it; `none` for those in clear. */
  readonly textsByKey: Readonly<Record<string, number>>;
}

/** One state, behind all ports. */
export interface State {
  readonly kind: StateStatus['kind'];
  readonly log: Log;
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly documents: Documents;
  readonly hourCounts: HourCounts;
  status(): Promise<StateStatus>;
  /** A sentence while it cannot be used; undefined if the last use went well. */
  trouble(): string | undefined;
  /** Ids of the keys that texts can be read with; empty without encryption. */
  readonly encryptionKeyIds: readonly string[];
  /**
   * Encrypts anew what was encrypted with another key than the current one.
   * @returns how many texts
   * @throws PlimsollError `invalid-input` while a server is at work that does not have the current key
   */
  reencrypt(): Promise<number>;
  close(): Promise<void>;
}
