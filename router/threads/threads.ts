import { invalidField, PlimsollError } from '../errors.ts';
import { fieldIn, isObject, type JsonObject, objectsIn, textIn } from '../json/index.ts';
import type { DocumentKey, Documents, DocumentWrite } from '../state/index.ts';
import { type Item, inputItems, newId, sentItems } from './items.ts';
import {
  fullThread,
  MAX_CHARACTERS,
  MAX_ID_CHARACTERS,
  MAX_INPUT_ITEMS,
  MAX_ITEMS,
  MAX_REFERENCES,
  MAX_TURNS,
  refuseFull,
  refuseMany,
} from './thread-limits.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** As long as OpenAI keeps responses. */
const TTL_MS = 30 * DAY_MS;
/** Documents that are read or written at once: between batches other requests get their turn. */
const BATCH = 50;
/** Which part of a thread a request goes on from. */
interface Origin {
  readonly previousResponseId: string | undefined;
  readonly conversationId: string | undefined;
  /** Ids of the responses before, the oldest first. */
  readonly ancestors: readonly string[];
}

/** A request whose thread is known. */
export interface ResolvedRequest extends Origin {
  /** With the whole conversation as its input, and nothing that only the state can read. */
  readonly body: JsonObject;
  /** What this request added. */
  readonly added: readonly Item[];
}

/** Whom a response is about, as its client says: what erasure finds it by. */
export type ThreadSubject = Partial<Pick<DocumentWrite, 'user' | 'session'>>;

/** A response as it is kept. */
interface KeptResponse {
  readonly response: JsonObject;
  readonly input: readonly Item[];
  readonly ancestors: readonly string[];
}

/** A response or an item of a conversation. */
interface Entry {
  readonly response?: string;
  /** Ids of the items of the response, or of the one item; empty for an item of a response that has none. */
  readonly items: readonly string[];
}

interface KeptConversation {
  readonly createdAt: number;
  readonly metadata: JsonObject;
  /** The oldest first. */
  readonly entries: readonly Entry[];
}

/** Which items are asked for. */
export interface PageRequest {
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  /** The id of the item before the page; undefined for the first page. */
  readonly after: string | undefined;
}

export interface ItemPage {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
}

/** Responses and conversations that are kept for their clients, each under the API key that made it. */
export interface Threads {
  /**
   * The request with its whole conversation in it: `previous_response_id`, `conversation` and references to items are read.
   * @param scope - the id of the client's API key; empty without keys
   * @throws PlimsollError `previous-response-not-found`, `not-found` or `invalid-input`, also for more than is kept; `state-unavailable`
   */
  resolve(body: JsonObject, scope: string): Promise<ResolvedRequest>;
  /** Keeps a response that has ended. @returns whether it was kept: one that is too long is not */
  keep(
    request: ResolvedRequest,
    response: JsonObject,
    scope: string,
    subject?: ThreadSubject,
  ): Promise<boolean>;
  /** @throws PlimsollError `not-found` */
  response(id: string, scope: string): Promise<KeptResponse>;
  /** @throws PlimsollError `not-found` */
  deleteResponse(id: string, scope: string): Promise<void>;
  /** @throws PlimsollError `not-found`; `invalid-input` if `after` is no input item of the response */
  inputItems(id: string, page: PageRequest, scope: string): Promise<ItemPage>;
  /** @throws PlimsollError `invalid-input` if there are more than 20 items */
  createConversation(metadata: JsonObject, items: readonly Item[], scope: string): Promise<object>;
  /** @throws PlimsollError `not-found` */
  conversation(id: string, scope: string): Promise<object>;
  /** @throws PlimsollError `not-found` */
  deleteConversation(id: string, scope: string): Promise<void>;
  /** Reads no more than the page needs. @throws PlimsollError `not-found`; `invalid-input` if `after` is no item of the conversation */
  conversationItems(id: string, page: PageRequest, scope: string): Promise<ItemPage>;
  /** @throws PlimsollError `not-found`; `invalid-input` if there are more than 20 items, or the conversation is full */
  addItems(id: string, items: readonly Item[], scope: string): Promise<readonly Item[]>;
}

const RESPONSE = 'response';
const ITEM = 'thread-item';
const CONVERSATION = 'conversation';

/** @param ttlMs - how long a response or an item is kept */
export function createThreads(documents: Documents, ttlMs = TTL_MS): Threads {
  const put = (
    { kind, id, scope }: DocumentKey,
    value: object,
    write: ThreadSubject & { readonly expected?: string | null },
  ) => documents.put({ scope, kind, id }, { ...write, value, ttlMs, sensitive: true });

  async function find<T>(kind: string, id: string, scope: string): Promise<T | undefined> {
    if (id.length > MAX_ID_CHARACTERS) return undefined;
    return (await documents.get({ scope, kind, id }))?.value as T | undefined;
  }

  async function response(id: string, scope: string): Promise<KeptResponse> {
    const kept = await find<KeptResponse>(RESPONSE, id, scope);
    if (kept === undefined) throw notFound('response');
    return kept;
  }

  async function storedConversation(id: string, scope: string) {
    const key = { scope, kind: CONVERSATION, id };
    const found = id.length > MAX_ID_CHARACTERS ? undefined : await documents.get(key);
    if (found === undefined) throw notFound('conversation');
    return { value: found.value as KeptConversation, version: found.version };
  }

  /** All items of responses, the oldest first. */
  async function turns(ids: readonly string[], scope: string): Promise<Item[]> {
    const items: Item[] = [];
    for (let at = 0; at < ids.length; at += BATCH) {
      const batch = ids.slice(at, at + BATCH);
      const found = await documents.getMany(scope, RESPONSE, batch);
      for (const id of batch) {
        const kept = found.get(id)?.value as KeptResponse | undefined;
        if (kept === undefined)
          throw previousNotFound('A response before it in its thread was deleted, or has expired.');
        items.push(...kept.input, ...objectsIn(kept.response, 'output'));
      }
    }
    return items;
  }

  async function fromPrevious(id: string, scope: string): Promise<{ items: Item[]; ancestors: string[] }> {
    const kept = await find<KeptResponse>(RESPONSE, id, scope);
    if (kept === undefined) throw previousNotFound('There is no such response, or it was not kept.');
    const ancestors = [...kept.ancestors, id];
    if (new Set(ancestors).size < ancestors.length) {
      throw invalidField('previous_response_id', 'is of a thread that leads back to itself');
    }
    if (ancestors.length > MAX_TURNS) {
      throw invalidField('previous_response_id', `is of a thread with more than ${MAX_TURNS} responses`);
    }
    const before = await turns(kept.ancestors, scope);
    return { items: [...before, ...kept.input, ...objectsIn(kept.response, 'output')], ancestors };
  }

  async function itemsOf({ response: id, items }: Entry, scope: string): Promise<readonly Item[]> {
    if (id === undefined) {
      const item = await find<Item>(ITEM, items[0]!, scope);
      return item === undefined ? [] : [item];
    }
    const kept = await find<KeptResponse>(RESPONSE, id, scope);
    return kept === undefined ? [] : [...kept.input, ...objectsIn(kept.response, 'output')];
  }

  async function conversationPage(id: string, page: PageRequest, scope: string): Promise<ItemPage> {
    const { limit, order, after } = page;
    const { entries } = (await storedConversation(id, scope)).value;
    const ordered = order === 'asc' ? entries : entries.toReversed();
    let next = after === undefined ? 0 : ordered.findIndex(({ items }) => items.includes(after));
    if (next === -1) throw notInList();
    let skipped = after !== undefined;
    const found: Item[] = [];
    for (; next < ordered.length && found.length <= limit; next++) {
      const read = await itemsOf(ordered[next]!, scope);
      const items = order === 'asc' ? read : read.toReversed();
      // Without the item, which may be deleted, the page begins at its response.
      found.push(...(skipped ? items.slice(items.findIndex((item) => item['id'] === after) + 1) : items));
      skipped = false;
    }
    return { items: found.slice(0, limit), hasMore: found.length > limit };
  }

  async function withReferences(items: readonly Item[], scope: string): Promise<Item[]> {
    const references = items.filter(isReference);
    if (references.length === 0) return [...items];
    if (references.length > MAX_REFERENCES)
      throw invalidField('input', `may refer to ${MAX_REFERENCES} items at most`);
    const all = await inBatches(items, async (item, at) => {
      if (!isReference(item)) return item;
      const found = await find<Item>(ITEM, textIn(item, 'id') ?? '', scope);
      if (found === undefined)
        throw invalidField(`input.${at}.id`, 'refers to an item that is not kept here');
      const [sent] = sentItems([found]);
      return sent ?? [];
    });
    return all.flat();
  }

  async function append(id: string, entries: readonly Entry[], scope: string): Promise<void> {
    for (;;) {
      const { value, version } = await storedConversation(id, scope);
      refuseFull(value, 'conversation');
      const next = { ...value, entries: [...value.entries, ...entries] };
      const write = { expected: version, session: id };
      if ((await put({ kind: CONVERSATION, id, scope }, next, write)) !== undefined) return;
    }
  }

  async function keepItems(items: readonly Item[], scope: string, subject: ThreadSubject): Promise<string[]> {
    const ids = items.map((item) => textIn(item, 'id')!);
    await inBatches(items, (item, at) => put({ kind: ITEM, id: ids[at]!, scope }, item, subject));
    return ids;
  }

  return {
    response,
    conversationItems: conversationPage,
    async inputItems(id, page, scope) {
      return pageOf((await response(id, scope)).input, page);
    },
    async resolve(body, scope) {
      const { previous_response_id: previous, conversation, ...rest } = body;
      const previousResponseId = typeof previous === 'string' ? previous : undefined;
      const conversationId = idOf(conversation);
      if (previousResponseId !== undefined && conversationId !== undefined) {
        throw invalidField('conversation', 'and previous_response_id are two threads; give one of them');
      }
      const own = ownItems(body['input']);
      const isKept = body['store'] !== false;
      if (isKept && own.length > MAX_INPUT_ITEMS) {
        throw invalidField(
          'input',
          `has ${own.length} items, and a response that is kept may have ${MAX_INPUT_ITEMS} at most; send store: false to keep nothing`,
        );
      }
      const given = await withReferences(own, scope);
      const added = inputItems(given);
      const origin = { previousResponseId, conversationId };
      if (previousResponseId !== undefined) {
        const { items, ancestors } = await fromPrevious(previousResponseId, scope);
        if (isKept && items.length >= MAX_ITEMS) throw fullThread('previous_response_id');
        return { ...origin, ancestors, added, body: { ...rest, input: [...sentItems(items), ...given] } };
      }
      if (conversationId !== undefined) {
        const { value } = await storedConversation(conversationId, scope);
        if (isKept) refuseFull(value, 'conversation');
        const items = (await inBatches(value.entries, (entry) => itemsOf(entry, scope))).flat();
        return { ...origin, ancestors: [], added, body: { ...rest, input: [...sentItems(items), ...given] } };
      }
      const refers = objectsIn(body, 'input').some(isReference);
      return { ...origin, ancestors: [], added, body: refers ? { ...rest, input: given } : body };
    },
    async keep({ previousResponseId, conversationId, ancestors, added }, made, scope, subject = {}) {
      const id = textIn(made, 'id');
      if (id === undefined || id.length > MAX_ID_CHARACTERS) return false;
      const whole = {
        ...made,
        store: true,
        previous_response_id: previousResponseId ?? null,
        ...(conversationId !== undefined && { conversation: { id: conversationId } }),
      };
      const kept: KeptResponse = { response: whole, input: added, ancestors };
      if (JSON.stringify(kept).length > MAX_CHARACTERS) return false;
      // An id that is taken stays what it was: a thread never leads back to itself.
      const write = { ...subject, expected: null };
      if ((await put({ kind: RESPONSE, id, scope }, kept, write)) === undefined) return false;
      const all = [...added, ...objectsIn(whole, 'output')];
      await keepItems(
        all.filter((item) => textIn(item, 'id') !== undefined),
        scope,
        subject,
      );
      if (conversationId !== undefined) {
        const items = all.map((item) => textIn(item, 'id') ?? '');
        await append(conversationId, [{ response: id, items }], scope);
      }
      return true;
    },
    async deleteResponse(id, scope) {
      const kept = await response(id, scope);
      const items = [...kept.input, ...objectsIn(kept.response, 'output')];
      await inBatches(items, (item) => documents.delete({ scope, kind: ITEM, id: textIn(item, 'id') ?? '' }));
      await documents.delete({ scope, kind: RESPONSE, id });
    },
    async createConversation(metadata, items, scope) {
      refuseMany(items);
      const id = newId('conv');
      const subject = { session: id };
      const ids = await keepItems(inputItems(items), scope, subject);
      const entries = ids.map((item) => ({ items: [item] }));
      const value: KeptConversation = { createdAt: Math.floor(Date.now() / 1000), metadata, entries };
      await put({ kind: CONVERSATION, id, scope }, value, subject);
      return conversationObject(id, value);
    },
    async conversation(id, scope) {
      return conversationObject(id, (await storedConversation(id, scope)).value);
    },
    async deleteConversation(id, scope) {
      await storedConversation(id, scope);
      await documents.delete({ scope, kind: CONVERSATION, id });
    },
    async addItems(id, items, scope) {
      refuseMany(items);
      const added = inputItems(items);
      refuseFull((await storedConversation(id, scope)).value, 'conversation');
      const ids = await keepItems(added, scope, { session: id });
      await append(
        id,
        ids.map((item) => ({ items: [item] })),
        scope,
      );
      return added;
    },
  };
}

/** Results in the order of the list. */
async function inBatches<T, R>(list: readonly T[], handle: (one: T, at: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < list.length; at += BATCH) {
    const batch = list.slice(at, at + BATCH);
    results.push(...(await Promise.all(batch.map((one, offset) => handle(one, at + offset)))));
  }
  return results;
}

function pageOf(items: readonly Item[], { limit, order, after }: PageRequest): ItemPage {
  const ordered = order === 'asc' ? items : items.toReversed();
  const from = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && from === 0) throw notInList();
  return { items: ordered.slice(from, from + limit), hasMore: ordered.length > from + limit };
}

function notInList(): PlimsollError {
  return invalidField('after', 'is no id of this list');
}

/** The client's own, as it sent them. */
function ownItems(input: unknown): Item[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  return Array.isArray(input) ? input.filter(isObject) : [];
}

/** `conversation` is an id, or an object with one. */
function idOf(conversation: unknown): string | undefined {
  if (typeof conversation === 'string') return conversation;
  const id = fieldIn(conversation, 'id');
  return typeof id === 'string' ? id : undefined;
}

/** The type may be left out. */
function isReference(item: unknown): boolean {
  if (!isObject(item)) return false;
  return (
    item['type'] === 'item_reference' || (item['type'] == null && item['role'] === undefined && 'id' in item)
  );
}

function conversationObject(id: string, { createdAt, metadata }: KeptConversation): object {
  return { id, object: 'conversation', created_at: createdAt, metadata };
}

function previousNotFound(why: string): PlimsollError {
  return new PlimsollError(
    'previous-response-not-found',
    `${why} Send the whole conversation as input, or begin a new thread.`,
    { place: { field: 'previous_response_id' } },
  );
}

function notFound(what: 'response' | 'conversation'): PlimsollError {
  return new PlimsollError(
    'not-found',
    `There is no such ${what} here: it was never kept, was deleted, or has expired.`,
  );
}
