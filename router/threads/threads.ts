import { PlimsollError } from '../errors.ts';
import { fieldIn, isObject, type JsonObject, objectsIn, textIn } from '../json/index.ts';
import type { Documents } from '../state/index.ts';
import { type Item, inputItems, newId, sentItems } from './items.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** As long as OpenAI keeps responses. */
const TTL_MS = 30 * DAY_MS;
/** Responses of one thread. */
const MAX_TURNS = 1_000;
/** Longer ids are of no thread. */
const MAX_ID_CHARACTERS = 200;
/** JSON of one response with its input; longer ones are not kept. */
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** References in one request. */
const MAX_REFERENCES = 1_000;

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

/** A response as it is kept. */
interface KeptResponse {
  readonly response: JsonObject;
  readonly input: readonly Item[];
  readonly ancestors: readonly string[];
}

interface KeptConversation {
  readonly createdAt: number;
  readonly metadata: JsonObject;
  /** Responses and items, in order. */
  readonly entries: readonly { readonly response?: string; readonly item?: string }[];
}

/** Responses and conversations that are kept for their clients, each under the API key that made it. */
export interface Threads {
  /**
   * The request with its whole conversation in it: `previous_response_id`, `conversation` and references to items are read.
   * @param scope - the id of the client's API key; empty without keys
   * @throws PlimsollError `previous-response-not-found`, `not-found` or `invalid-input`; `state-unavailable`
   */
  resolve(body: JsonObject, scope: string): Promise<ResolvedRequest>;
  /** Keeps a response that has ended. @returns whether it was kept: one that is too long is not */
  keep(request: ResolvedRequest, response: JsonObject, scope: string): Promise<boolean>;
  /** @throws PlimsollError `not-found` */
  response(id: string, scope: string): Promise<KeptResponse>;
  /** @throws PlimsollError `not-found` */
  deleteResponse(id: string, scope: string): Promise<void>;
  createConversation(metadata: JsonObject, items: unknown, scope: string): Promise<object>;
  /** @throws PlimsollError `not-found` */
  conversation(id: string, scope: string): Promise<object>;
  /** @throws PlimsollError `not-found` */
  deleteConversation(id: string, scope: string): Promise<void>;
  /** All items, the oldest first. @throws PlimsollError `not-found` */
  conversationItems(id: string, scope: string): Promise<readonly Item[]>;
  /** @throws PlimsollError `not-found` */
  addItems(id: string, items: unknown, scope: string): Promise<readonly Item[]>;
}

const RESPONSE = 'response';
const ITEM = 'thread-item';
const CONVERSATION = 'conversation';

/** @param ttlMs - how long a response or an item is kept */
export function createThreads(documents: Documents, ttlMs = TTL_MS): Threads {
  const put = (kind: string, id: string, value: object, scope: string, expected?: string | null) =>
    documents.put({ scope, kind, id }, { value, ttlMs, expected, sensitive: true });

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
    const all = await Promise.all(ids.map((id) => find<KeptResponse>(RESPONSE, id, scope)));
    return all.flatMap((kept) => {
      if (kept === undefined)
        throw previousNotFound('A response before it in its thread was deleted, or has expired.');
      return [...kept.input, ...objectsIn(kept.response, 'output')];
    });
  }

  async function fromPrevious(id: string, scope: string): Promise<{ items: Item[]; ancestors: string[] }> {
    const kept = await find<KeptResponse>(RESPONSE, id, scope);
    if (kept === undefined) throw previousNotFound('There is no such response, or it was not kept.');
    const ancestors = [...kept.ancestors, id];
    if (new Set(ancestors).size < ancestors.length) {
      throw invalid('previous_response_id', 'is of a thread that leads back to itself');
    }
    if (ancestors.length > MAX_TURNS) {
      throw invalid('previous_response_id', `is of a thread with more than ${MAX_TURNS} responses`);
    }
    const before = await turns(kept.ancestors, scope);
    return { items: [...before, ...kept.input, ...objectsIn(kept.response, 'output')], ancestors };
  }

  async function conversationItems(id: string, scope: string): Promise<Item[]> {
    const { value } = await storedConversation(id, scope);
    const all = await Promise.all(
      value.entries.map(async ({ response: one, item }) => {
        if (item !== undefined) return (await find<Item>(ITEM, item, scope)) ?? [];
        const kept = await find<KeptResponse>(RESPONSE, one ?? '', scope);
        return kept === undefined ? [] : [...kept.input, ...objectsIn(kept.response, 'output')];
      }),
    );
    return all.flat();
  }

  async function withReferences(items: readonly Item[], scope: string): Promise<Item[]> {
    const references = items.filter(isReference);
    if (references.length === 0) return [...items];
    if (references.length > MAX_REFERENCES)
      throw invalid('input', `may refer to ${MAX_REFERENCES} items at most`);
    const all = items.map(async (item, at) => {
      if (!isReference(item)) return item;
      const found = await find<Item>(ITEM, textIn(item, 'id') ?? '', scope);
      if (found === undefined) throw invalid(`input.${at}.id`, 'refers to an item that is not kept here');
      const [sent] = sentItems([found]);
      return sent ?? [];
    });
    return (await Promise.all(all)).flat();
  }

  async function append(id: string, entries: KeptConversation['entries'], scope: string): Promise<void> {
    for (;;) {
      const { value, version } = await storedConversation(id, scope);
      const next = { ...value, entries: [...value.entries, ...entries] };
      if ((await put(CONVERSATION, id, next, scope, version)) !== undefined) return;
    }
  }

  async function keepItems(items: readonly Item[], scope: string): Promise<string[]> {
    const ids = items.map((item) => textIn(item, 'id')!);
    await Promise.all(items.map((item, at) => put(ITEM, ids[at]!, item, scope)));
    return ids;
  }

  return {
    response,
    conversationItems,
    async resolve(body, scope) {
      const { previous_response_id: previous, conversation, ...rest } = body;
      const previousResponseId = typeof previous === 'string' ? previous : undefined;
      const conversationId = idOf(conversation);
      if (previousResponseId !== undefined && conversationId !== undefined) {
        throw invalid('conversation', 'and previous_response_id are two threads; give one of them');
      }
      const given = await withReferences(ownItems(body['input']), scope);
      const added = inputItems(given);
      const origin = { previousResponseId, conversationId };
      if (previousResponseId !== undefined) {
        const { items, ancestors } = await fromPrevious(previousResponseId, scope);
        return { ...origin, ancestors, added, body: { ...rest, input: [...sentItems(items), ...given] } };
      }
      if (conversationId !== undefined) {
        const items = await conversationItems(conversationId, scope);
        return { ...origin, ancestors: [], added, body: { ...rest, input: [...sentItems(items), ...given] } };
      }
      const refers = objectsIn(body, 'input').some(isReference);
      return { ...origin, ancestors: [], added, body: refers ? { ...rest, input: given } : body };
    },
    async keep({ previousResponseId, conversationId, ancestors, added }, made, scope) {
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
      if ((await put(RESPONSE, id, kept, scope, null)) === undefined) return false;
      await keepItems(
        [...added, ...objectsIn(whole, 'output')].filter((item) => textIn(item, 'id') !== undefined),
        scope,
      );
      if (conversationId !== undefined) await append(conversationId, [{ response: id }], scope);
      return true;
    },
    async deleteResponse(id, scope) {
      const kept = await response(id, scope);
      const items = [...kept.input, ...objectsIn(kept.response, 'output')];
      await Promise.all(
        items.map((item) => documents.delete({ scope, kind: ITEM, id: textIn(item, 'id') ?? '' })),
      );
      await documents.delete({ scope, kind: RESPONSE, id });
    },
    async createConversation(metadata, items, scope) {
      const id = newId('conv');
      const entries = (await keepItems(inputItems(items), scope)).map((item) => ({ item }));
      const value: KeptConversation = { createdAt: Math.floor(Date.now() / 1000), metadata, entries };
      await put(CONVERSATION, id, value, scope);
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
      const added = inputItems(items);
      await storedConversation(id, scope);
      const ids = await keepItems(added, scope);
      await append(
        id,
        ids.map((item) => ({ item })),
        scope,
      );
      return added;
    },
  };
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

function invalid(field: string, why: string): PlimsollError {
  return new PlimsollError('invalid-input', `${field} ${why}.`, { place: { field } });
}
