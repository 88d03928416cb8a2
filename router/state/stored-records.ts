import type { Log, StoredRecord } from './ports.ts';

const PAGE = 1_000;

/**
 * The records of a stream, in the order of storing. A page at a time is in memory.
 * @param afterSeq a place in the stream: what is stored up to it is left out
 * @throws PlimsollError `state-unavailable`; `invalid-state` if a text is encrypted with a key that is not there
 */
export async function* storedRecords(
  log: Pick<Log, 'read'>,
  stream: string,
  afterSeq = 0,
): AsyncGenerator<StoredRecord> {
  for (let after = afterSeq; ; ) {
    const page = await log.read(stream, { afterSeq: after, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.seq;
  }
}
