import { hash } from 'node:crypto';
import type { Dialect } from '../catalog/index.ts';
import { fieldIn, isObject, type JsonObject, parseJson } from '../json/index.ts';
import { firstWords } from './turn.ts';

/** What a request says about its conversation, in the order in which it is looked at: the first that is there decides. */
export const SESSION_SOURCES = [
  'x-session-id',
  'x-claude-code-session-id',
  'session-id', // Codex: the session, with all its threads
  'thread-id', // Codex: one of them
  'x-session-affinity',
  'prompt_cache_key',
  'conversation',
  'previous_response_id',
  'metadata.user_id', // Claude Code writes its session into it
  'inferred', // a keyed hash of system prompt and first user turn
] as const;

export type SessionSource = (typeof SESSION_SOURCES)[number];

/** Which conversation a request belongs to. */
export interface SessionIdentity {
  readonly source: SessionSource;
  /** Keyed hash over the API key's id and the client's id: what is stored and logged in place of the client's id. */
  readonly id: string;
  /** As the client writes it; undefined if the session is inferred. */
  readonly name: string | undefined;
  /** Id of the API key that it belongs to. */
  readonly keyId: string | undefined;
  /**
   * Places the conversation: the same at every instance, with or without a shared secret; neither stored nor logged. Undefined for the first
   * request of one that is inferred: most of those are never gone on with.
   */
  readonly affinity: string | undefined;
}

/** What is read of a request. The form of its body need not have been checked. */
export interface SessionRequest {
  readonly dialect: Dialect;
  readonly body: JsonObject;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly keyId: string | undefined;
}

/** Characters. A longer id is ignored: cut off, it could be another conversation's. */
const MAX_SESSION_ID = 256;

/**
 * Which conversation a request belongs to. The first source that is there decides, even if its id cannot be used: what the next one says
 * might be another conversation's.
 * @param secret key of the hashes
 * @param mayInfer whether a request that names no session gets one by its first words
 */
export function sessionIdentity(
  request: SessionRequest,
  secret: string,
  mayInfer: boolean,
): SessionIdentity | undefined {
  const { keyId } = request;
  for (const [source, read] of READERS) {
    const name = read(request);
    if (name === undefined || name === null || name === '') continue;
    if (typeof name !== 'string' || name.length > MAX_SESSION_ID) return undefined;
    return new HashedIdentity(source, name, keyId, (key) => keyedHash(key, 'named', keyId, name), secret);
  }
  const words = mayInfer ? firstWords(request.body, request.dialect) : undefined;
  if (words === undefined) return undefined;
  const hashed = (key: string) => keyedHash(key, 'inferred', keyId, String(words.length), ...words);
  return new HashedIdentity('inferred', undefined, keyId, hashed, secret, hasReply(request));
}

/** The id is hashed when it is first read: mostly while the model is at work. */
class HashedIdentity implements SessionIdentity {
  readonly source: SessionSource;
  readonly name: string | undefined;
  readonly keyId: string | undefined;
  readonly #hashed: (secret: string) => string;
  readonly #secret: string;
  readonly #hasAffinity: boolean;
  #id: string | undefined;

  constructor(
    source: SessionSource,
    name: string | undefined,
    keyId: string | undefined,
    hashed: (secret: string) => string,
    secret: string,
    hasAffinity = true,
  ) {
    this.source = source;
    this.name = name;
    this.keyId = keyId;
    this.#hashed = hashed;
    this.#secret = secret;
    this.#hasAffinity = hasAffinity;
  }

  get id(): string {
    this.#id ??= this.#hashed(this.#secret);
    return this.#id;
  }

  get affinity(): string | undefined {
    return this.#hasAffinity ? this.#hashed('') : undefined;
  }
}

/** Whether a model has replied in it before. */
function hasReply({ body, dialect }: SessionRequest): boolean {
  const turns = body[dialect === 'responses' ? 'input' : 'messages'];
  return Array.isArray(turns) && turns.some((turn) => fieldIn(turn, 'role') === 'assistant');
}

/** Undefined, null or empty if the source is not there. */
type Reader = (request: SessionRequest) => unknown;

const READERS: readonly (readonly [Exclude<SessionSource, 'inferred'>, Reader])[] = [
  ...(
    ['x-session-id', 'x-claude-code-session-id', 'session-id', 'thread-id', 'x-session-affinity'] as const
  ).map((name) => [name, ({ headers }: SessionRequest) => headers[name]] as const),
  ['prompt_cache_key', ({ body }) => body['prompt_cache_key']],
  ['conversation', ofResponses(({ conversation }) => fieldIn(conversation, 'id') ?? conversation)],
  ['previous_response_id', ofResponses((body) => body['previous_response_id'])],
  ['metadata.user_id', ({ body, dialect }) => (dialect === 'anthropic' ? claudeSession(body) : undefined)],
];

function ofResponses(read: (body: JsonObject) => unknown): Reader {
  return ({ body, dialect }) => (dialect === 'responses' ? read(body) : undefined);
}

const CLAUDE_SESSION = /_session_([0-9a-f-]{36})$/i;

/** Claude Code has written `user_…_account_…_session_<uuid>`, and JSON with a `session_id`. Other users of the field name no session. */
function claudeSession({ metadata }: JsonObject): unknown {
  const userId = fieldIn(metadata, 'user_id');
  if (typeof userId !== 'string') return undefined;
  if (!userId.startsWith('{')) return CLAUDE_SESSION.exec(userId)?.[1];
  const written = userId.length <= MAX_CLAUDE_USER_ID ? parseJson(userId) : undefined;
  return isObject(written) ? written['session_id'] : undefined;
}

const MAX_CLAUDE_USER_ID = 4_096;

/**
 * SHA-256 over the secret and the parts, each with its length before it. What is hashed is never the beginning of something else that is
 * hashed, so that the secret in front makes this as good a keyed hash as HMAC (Bellare, Canetti and Krawczyk, "Pseudorandom functions
 * revisited: the cascade construction", 1996). An HMAC object for each request was a twelfth of what the gateway adds to one.
 * @param parts the first says what is hashed; of the same there are as many parts each time, or their number is one of them
 */
export function keyedHash(secret: string, ...parts: readonly (string | undefined)[]): string {
  let text = secret;
  for (const part of parts) text += part === undefined ? '-;' : `${part.length};${part}`;
  return hash('sha256', text, 'base64url');
}
