import { type SafeError, safeError } from '../errors.ts';
import { AUDITS, auditSchema, type Watch } from '../monitoring/index.ts';
import type { Log, StoredRecord } from '../state/index.ts';

const EVERY_MS = 5_000;
const PAGE = 1_000;

/** Hands the audits of the state to the watch of what serves. */
export interface AuditFeed {
  /** From the first audit on: a watch counts each of them once, and those of its artifact alone. */
  follow(watch: Watch | undefined): void;
  close(): Promise<void>;
}

/** @param onFailure called when the audits cannot be read or an alarm fails, and again only after they could be */
export function createAuditFeed(
  log: Log,
  onFailure: (error: SafeError) => void,
  everyMs = EVERY_MS,
): AuditFeed {
  let followed: { readonly watch: Watch; afterSeq: number } | undefined;
  let reading: Promise<void> | undefined;
  let failing = false;

  async function readAll(): Promise<void> {
    const current = followed;
    if (current === undefined) return;
    try {
      for (;;) {
        const { afterSeq } = current;
        const page = await log.read(AUDITS, { afterSeq, limit: PAGE });
        for (const record of page) {
          current.afterSeq = record.seq; // first: one whose alarm fails is not counted again
          const audit = auditOf(record);
          if (audit !== undefined) current.watch.observeAudit(audit);
        }
        if (page.length < PAGE) break;
      }
      failing = false;
    } catch (error) {
      if (!failing) onFailure(safeError(error));
      failing = true;
    }
  }

  function readUnlessReading(): void {
    reading ??= readAll().finally(() => {
      reading = undefined;
    });
  }

  const timer = setInterval(readUnlessReading, everyMs).unref();
  return {
    follow(watch) {
      if (watch === followed?.watch) return;
      followed = watch && { watch, afterSeq: 0 };
      readUnlessReading();
    },
    async close() {
      clearInterval(timer);
      followed = undefined;
      await reading;
    },
  };
}

/** Undefined for a record that a later version wrote. */
function auditOf({ body }: StoredRecord) {
  try {
    return auditSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
