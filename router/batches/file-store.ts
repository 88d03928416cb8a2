import { PlimsollError } from '../errors.ts';
import { risingId } from '../rising-id.ts';
import type { Documents } from '../state/index.ts';
import { WINDOW_MS } from './batch.ts';
import type { Endpoint } from './line.ts';

const FILE = 'batch-file';
const CHUNK = 'batch-file-chunk';
/** Where a file was in the list that is deleted: whoever goes through the list page by page may hold its id. */
const DELETED = 'batch-file-deleted';
const DELETED_MS = 24 * 3_600_000;
/** Characters of one stored piece; a longer line is a piece of its own. */
const CHUNK_CHARACTERS = 256 * 1024;
/** Tells a file here from those of providers. */
const PREFIX = 'file-plimsoll-';
const ID = /^file-plimsoll-[\w-]{1,100}$/;
/** Files of one API key, and batches of one. */
export const MAX_KEPT = 1_000;

/** A file as it is kept, without its content. */
export interface StoredFile {
  readonly id: string;
  readonly filename: string;
  readonly purpose: 'batch' | 'batch_output';
  /** Length of the content in UTF-8. */
  readonly bytes: number;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly lines: number;
  /** For a file of requests: the endpoint of its lines. */
  readonly url?: Endpoint;
  readonly chunks: number;
}

type ListedFile = Pick<StoredFile, 'id' | 'createdMs'>;

/** The order of the list: below 0 if `a` comes first. */
export function newestFirst(a: ListedFile, b: ListedFile): number {
  return b.createdMs - a.createdMs || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

export function isFileId(id: string): boolean {
  return ID.test(id);
}

/** A file that is being written. It is there once `finish` has resolved; until then its pieces are nobody's. */
export interface FileWriter {
  readonly id: string;
  readonly bytes: number;
  write(text: string): Promise<void>;
  finish(facts: Pick<StoredFile, 'filename' | 'purpose' | 'lines' | 'url'>): Promise<StoredFile>;
  /** Deletes what was written. */
  discard(): Promise<void>;
}

/** Files of batches, in pieces, each under the API key that it belongs to; encrypted if texts are. */
export class FileStore {
  readonly #documents: Documents;
  readonly #keepMs: number;
  readonly #now: () => number;

  constructor(documents: Documents, keepMs: number, now: () => number) {
    this.#documents = documents;
    this.#keepMs = keepMs;
    this.#now = now;
  }

  newId(): string {
    return `${PREFIX}${risingId(this.#now())}`;
  }

  /** @param id written again, it replaces what was written before with the same id */
  writer(scope: string, id = this.newId()): FileWriter {
    const ttlMs = this.#keepMs + WINDOW_MS; // a batch may begin with it at the last moment
    let waiting: string[] = [];
    let characters = 0;
    let chunks = 0;
    let bytes = 0;
    const flush = async () => {
      if (characters === 0) return;
      const value = waiting.join('');
      waiting = [];
      characters = 0;
      await this.#documents.put(chunkKey(scope, id, chunks), { value, ttlMs, sensitive: true });
      chunks++;
    };
    return {
      id,
      get bytes() {
        return bytes;
      },
      async write(text) {
        waiting.push(text);
        characters += text.length;
        bytes += Buffer.byteLength(text);
        if (characters >= CHUNK_CHARACTERS) await flush();
      },
      finish: async (facts) => {
        await flush();
        const createdMs = this.#now();
        const expiresMs = createdMs + this.#keepMs;
        const file = { ...facts, id, bytes, createdMs, expiresMs, chunks };
        await this.#documents.put({ scope, kind: FILE, id }, { value: file, ttlMs, sensitive: true });
        return file;
      },
      discard: () => this.#deleteChunks(scope, id, chunks),
    };
  }

  /** @throws PlimsollError `not-found` */
  async get(scope: string, id: string): Promise<StoredFile> {
    const file = await this.ofBatch(scope, id);
    if (file !== undefined && file.expiresMs > this.#now()) return file;
    throw new PlimsollError(
      'not-found',
      'There is no such file here: it was never uploaded with this API key, was deleted, or has expired.',
    );
  }

  /** The input of a batch that began before the file expired; undefined if it was deleted. */
  async ofBatch(scope: string, id: string): Promise<StoredFile | undefined> {
    const found = isFileId(id) ? await this.#documents.get({ scope, kind: FILE, id }) : undefined;
    return found?.value as StoredFile | undefined;
  }

  /** The newest first. */
  async list(scope: string): Promise<readonly StoredFile[]> {
    const found = await this.#documents.list(scope, FILE, 3 * MAX_KEPT);
    return found
      .map(({ value }) => value as StoredFile)
      .filter(({ expiresMs }) => expiresMs > this.#now())
      .sort(newestFirst);
  }

  /** Where a file is in the list, or was until it expired or was deleted in the last 24 hours; undefined if that is not known. */
  async placeOf(scope: string, id: string): Promise<ListedFile | undefined> {
    if (!isFileId(id)) return undefined;
    const deleted = async () => (await this.#documents.get({ scope, kind: DELETED, id }))?.value;
    return ((await this.ofBatch(scope, id)) ?? (await deleted())) as ListedFile | undefined;
  }

  /** The pieces of its text, in order. @throws PlimsollError `not-found` if it was deleted meanwhile */
  async *content(scope: string, { id, chunks }: StoredFile): AsyncGenerator<string> {
    for (let at = 0; at < chunks; at++) {
      const found = await this.#documents.get(chunkKey(scope, id, at));
      if (found === undefined) throw new PlimsollError('not-found', 'The file was deleted meanwhile.');
      yield found.value as string;
    }
  }

  /** @throws PlimsollError `not-found` */
  async delete(scope: string, id: string): Promise<void> {
    const { chunks, createdMs } = await this.get(scope, id);
    const place: ListedFile = { id, createdMs };
    await this.#documents.put({ scope, kind: DELETED, id }, { value: place, ttlMs: DELETED_MS });
    await this.#documents.delete({ scope, kind: FILE, id });
    await this.#deleteChunks(scope, id, chunks);
  }

  async #deleteChunks(scope: string, id: string, chunks: number): Promise<void> {
    for (let at = 0; at < chunks; at++) await this.#documents.delete(chunkKey(scope, id, at));
  }
}

function chunkKey(scope: string, id: string, at: number) {
  return { scope, kind: CHUNK, id: `${id}.${at}` };
}
