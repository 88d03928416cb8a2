import { PlimsollError } from '../errors.ts';
import type { Documents } from '../state/index.ts';
import { type Batch, ENDED, type LineResult, scopeOf, WINDOW_MS } from './batch.ts';
import { MAX_KEPT } from './file-store.ts';

const BATCH = 'batch';
/** Which batches have not ended, over all API keys; without anybody's texts. */
const OPEN = 'batch-open';
const RESULTS = 'batch-results';
const ID = /^batch_[\w-]{1,100}$/;
/** Documents of results that are read at once. */
const READ_AT_ONCE = 20;
/** For all keys together: as many as 100 keys may have. */
const MAX_OPEN = 100 * MAX_KEPT;
/** By writers at the same moment. */
const MAX_TRIES = 20;

/** A batch that has not ended, and the API key that it belongs to. */
export interface OpenBatch {
  readonly id: string;
  readonly scope: string;
  /** Undefined of those from before it was kept here. */
  readonly expiresMs?: number;
}

/** Batches and the results of their lines, in the state. */
export class BatchStore {
  readonly #documents: Documents;
  readonly #keepMs: number;

  /** @param keepMs how long a batch is kept once it has ended; as long as it has not, its window is added */
  constructor(documents: Documents, keepMs: number) {
    this.#documents = documents;
    this.#keepMs = keepMs;
  }

  async add(batch: Batch): Promise<void> {
    const scope = scopeOf(batch.client);
    const ttlMs = this.#keepMs + WINDOW_MS;
    await this.#documents.put({ scope, kind: BATCH, id: batch.id }, { value: batch, ttlMs, sensitive: true });
    const value: Omit<OpenBatch, 'id'> = { scope, expiresMs: batch.expiresMs };
    await this.#documents.put({ scope: '', kind: OPEN, id: batch.id }, { value, ttlMs });
  }

  /** @throws PlimsollError `not-found` */
  async get(scope: string, id: string): Promise<Batch> {
    return (await this.#stored(scope, id)).value as Batch;
  }

  /** The newest first. */
  async list(scope: string): Promise<readonly Batch[]> {
    const found = await this.#documents.list(scope, BATCH, 2 * MAX_KEPT); // some came in at the same moment
    return found.map(({ value }) => value as Batch).reverse(); // ids rise with time
  }

  /**
   * Changes what is there, by compare-and-set. @param changed undefined: it stays as it is
   * @throws PlimsollError `not-found`, and what `changed` throws
   */
  async change(scope: string, id: string, changed: (batch: Batch) => Batch | undefined): Promise<Batch> {
    for (let tried = 0; tried < MAX_TRIES; tried++) {
      const stored = await this.#stored(scope, id);
      const before = stored.value as Batch;
      const value = changed(before);
      if (value === undefined) return before;
      const ttlMs = this.#keepMs + (ENDED.includes(value.status) ? 0 : WINDOW_MS);
      const write = { value, ttlMs, expected: stored.version, sensitive: true };
      if ((await this.#documents.put({ scope, kind: BATCH, id }, write)) === undefined) continue;
      if (ENDED.includes(value.status)) await this.#documents.delete({ scope: '', kind: OPEN, id });
      return value;
    }
    throw new PlimsollError('conflict', 'Others write to this batch at the same moment. Try again.');
  }

  /** Those that have not ended, the oldest first. */
  async open(): Promise<readonly OpenBatch[]> {
    const found = await this.#documents.list('', OPEN, MAX_OPEN);
    return found.map(({ id, value }) => ({ ...(value as Omit<OpenBatch, 'id'>), id }));
  }

  /** Takes a batch off the list of those that have not ended. */
  async close(id: string): Promise<void> {
    await this.#documents.delete({ scope: '', kind: OPEN, id });
  }

  /**
   * Keeps results under the next number.
   * @returns false if there are results of this number: somebody else is at work on the batch
   */
  async addResults(scope: string, id: string, number: number, results: readonly LineResult[]) {
    const ttlMs = this.#keepMs + WINDOW_MS;
    const write = { value: results, ttlMs, expected: null, sensitive: true };
    return (await this.#documents.put(resultsKey(scope, id, number), write)) !== undefined;
  }

  /** The results by their numbers, from 0 on. */
  async *results(scope: string, id: string): AsyncGenerator<readonly LineResult[]> {
    for (let from = 0; ; from += READ_AT_ONCE) {
      const numbers = Array.from({ length: READ_AT_ONCE }, (_, at) => from + at);
      const ids = numbers.map((number) => resultsKey(scope, id, number).id);
      const found = await this.#documents.getMany(scope, RESULTS, ids);
      for (const one of ids) {
        const stored = found.get(one);
        if (stored === undefined) return;
        yield stored.value as readonly LineResult[];
      }
    }
  }

  /** Once they are in files. */
  async deleteResults(scope: string, id: string, count: number): Promise<void> {
    for (let number = 0; number < count; number++)
      await this.#documents.delete(resultsKey(scope, id, number));
  }

  async #stored(scope: string, id: string) {
    const found = ID.test(id) ? await this.#documents.get({ scope, kind: BATCH, id }) : undefined;
    if (found !== undefined) return found;
    throw new PlimsollError(
      'not-found',
      'There is no such batch here: it was not created with this API key, or has expired.',
    );
  }
}

function resultsKey(scope: string, id: string, number: number) {
  return { scope, kind: RESULTS, id: `${id}.${number}` };
}
