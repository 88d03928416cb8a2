import { randomUUID } from 'node:crypto';
import { memoryHourCounts } from './memory-hour-counts.ts';
import { memoryLedger } from './memory-ledger.ts';
import { assertDocumentKey, assertSubject } from './names.ts';
import type {
  Documents,
  Leases,
  Log,
  LogRecord,
  State,
  StoredDocument,
  StreamSize,
  Subject,
} from './ports.ts';

/** Records of one stream; the oldest make room. */
const MAX_RECORDS = 10_000;

/** The state of one process, gone with it. */
export function memoryState(now: () => number = Date.now): State {
  const log = memoryLog();
  const documents = memoryDocuments(now);
  const ledger = memoryLedger();
  return {
    kind: 'memory',
    log,
    documents,
    ledger,
    leases: memoryLeases(now),
    hourCounts: memoryHourCounts(),
    trouble: () => undefined,
    async status() {
      const texts = log.texts();
      return {
        kind: 'memory',
        place: 'the memory of this process',
        schema: 0,
        streams: await log.sizes(),
        documents: documents.size(),
        ledgerEntries: ledger.size(),
        textsByKey: texts === 0 ? {} : { none: texts },
      };
    },
    encryptionKeyIds: [],
    reencrypt: async () => 0,
    close: async () => {},
  };
}

type Held = Omit<LogRecord, 'sameSubjectAs'> & { readonly seq: number };

function memoryLog(): Log & { texts(): number } {
  const streams = new Map<string, Held[]>();
  let seq = 0;
  const bytesOf = ({ body, text }: Held) => body.length + (text?.length ?? 0);

  const stored = ({ seq, id, timeMs, keyId, body, text }: Held) => ({ seq, id, timeMs, keyId, body, text });

  const find = (stream: string, id: string) => streams.get(stream)?.find((record) => record.id === id);

  function withSubject({ sameSubjectAs, ...record }: LogRecord): Omit<LogRecord, 'sameSubjectAs'> {
    if (sameSubjectAs === undefined) return record;
    const { user, session } = find(sameSubjectAs.stream, sameSubjectAs.id) ?? {};
    return { ...record, user: record.user ?? user, session: record.session ?? session };
  }

  function keepIf(stream: string, kept: (record: Held) => boolean): number {
    const records = streams.get(stream) ?? [];
    const rest = records.filter(kept);
    streams.set(stream, rest);
    return records.length - rest.length;
  }

  return {
    async append(stream, records) {
      const held = streams.get(stream) ?? [];
      const known = new Set(held.map(({ id }) => id));
      for (const record of records) {
        if (known.has(record.id)) continue;
        known.add(record.id);
        held.push({ ...withSubject(record), seq: ++seq });
      }
      streams.set(stream, held.slice(-MAX_RECORDS));
    },
    async get(stream, id) {
      const found = find(stream, id);
      return found && stored(found);
    },
    async read(stream, { afterSeq, limit }) {
      return (streams.get(stream) ?? [])
        .filter((record) => record.seq > afterSeq)
        .slice(0, limit)
        .map(stored);
    },
    async newest(stream, limit) {
      return (streams.get(stream) ?? []).toReversed().slice(0, limit).map(stored);
    },
    async prune(stream, { beforeMs = Number.NEGATIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY }) {
      let gone = keepIf(stream, ({ timeMs }) => timeMs >= beforeMs);
      let total = 0;
      const fitting = new Set<number>();
      for (const record of (streams.get(stream) ?? []).toReversed()) {
        total += bytesOf(record);
        if (total <= maxBytes) fitting.add(record.seq);
      }
      gone += keepIf(stream, (record) => fitting.has(record.seq));
      return gone;
    },
    async erase(subject) {
      assertSubject(subject);
      let gone = 0;
      for (const stream of streams.keys()) {
        gone += keepIf(stream, (record) => !isAbout(record, record.keyId, subject));
      }
      return gone;
    },
    streams: async () => [...streams].flatMap(([stream, { length }]) => (length > 0 ? [stream] : [])).sort(),
    async sizes() {
      return [...streams].flatMap(([stream, records]): StreamSize[] => {
        if (records.length === 0) return [];
        const times = records.map(({ timeMs }) => timeMs);
        const bytes = records.reduce((sum, record) => sum + bytesOf(record), 0);
        const [oldestMs, newestMs] = [Math.min(...times), Math.max(...times)];
        return [{ stream, records: records.length, bytes, oldestMs, newestMs }];
      });
    },
    texts: () => [...streams.values()].flat().filter(({ text }) => text !== undefined).length,
  };
}

function isAbout(
  held: { readonly user?: string | undefined; readonly session?: string | undefined },
  heldKeyId: string | undefined,
  { user, session, keyId }: Subject,
): boolean {
  if (user !== undefined && held.user !== user) return false;
  if (session !== undefined && held.session !== session) return false;
  return keyId === undefined || heldKeyId === keyId;
}

function memoryLeases(now: () => number): Leases {
  const leases = new Map<string, { holder: string; token: number; expiresMs: number }>();
  const held = ({ name, fencingToken }: { name: string; fencingToken: number }) => {
    const lease = leases.get(name);
    return lease?.token === fencingToken && lease.expiresMs > now() ? lease : undefined;
  };
  return {
    async acquire(name, holder, ttlMs) {
      const lease = leases.get(name) ?? { holder, token: 0, expiresMs: 0 };
      if (lease.expiresMs > now() && lease.holder !== holder) return undefined;
      const token = lease.token + 1;
      leases.set(name, { holder, token, expiresMs: now() + ttlMs });
      return { name, fencingToken: token };
    },
    async renew(lease, ttlMs) {
      const found = held(lease);
      if (found) found.expiresMs = now() + ttlMs;
      return found !== undefined;
    },
    async release(lease) {
      const found = held(lease);
      if (found) found.expiresMs = 0; // its token is remembered
    },
  };
}

interface HeldDocument {
  readonly scope: string;
  readonly kind: string;
  readonly id: string;
  readonly text: string;
  readonly version: string;
  readonly user: string | undefined;
  readonly session: string | undefined;
  readonly expiresMs: number;
}

function memoryDocuments(now: () => number): Documents & { size(): number } {
  const held = new Map<string, HeldDocument>();
  const nameOf = (key: Parameters<Documents['get']>[0]) => {
    assertDocumentKey(key);
    return `${key.scope}\0${key.kind}\0${key.id}`;
  };
  const alive = (name: string) => {
    const found = held.get(name);
    return found !== undefined && found.expiresMs > now() ? found : undefined;
  };
  const stored = ({ id, text, version }: HeldDocument): StoredDocument => ({
    id,
    version,
    value: JSON.parse(text),
  });

  function dropIf(isGone: (document: HeldDocument) => boolean): number {
    const gone = [...held].filter(([, document]) => isGone(document));
    for (const [name] of gone) held.delete(name);
    return gone.length;
  }

  return {
    async get(key) {
      const found = alive(nameOf(key));
      return found && stored(found);
    },
    async getMany(scope, kind, ids) {
      const found = ids.flatMap((id) => alive(nameOf({ scope, kind, id })) ?? []);
      return new Map(found.map((one) => [one.id, stored(one)]));
    },
    async put(key, { value, ttlMs, expected, user, session }) {
      const name = nameOf(key);
      const found = alive(name);
      if (expected !== undefined && (found?.version ?? null) !== expected) return undefined;
      const version = randomUUID();
      const expiresMs = ttlMs === undefined ? Number.POSITIVE_INFINITY : now() + ttlMs;
      held.set(name, { ...key, text: JSON.stringify(value), version, user, session, expiresMs });
      return version;
    },
    async delete(key) {
      const name = nameOf(key);
      return alive(name) !== undefined && held.delete(name);
    },
    async list(scope, kind, limit) {
      return [...held.values()]
        .filter((one) => one.scope === scope && one.kind === kind && one.expiresMs > now())
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .map(stored);
    },
    async erase(subject) {
      assertSubject(subject);
      return dropIf((document) => isAbout(document, document.scope, subject));
    },
    async prune() {
      return dropIf(({ expiresMs }) => expiresMs <= now());
    },
    size: () => held.size,
  };
}
