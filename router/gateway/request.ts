import type { AbortSignalLike } from '../abort-signal.ts';
import type { Dialect } from '../catalog/index.ts';
import { type ErrorCode, PlimsollError, quoted } from '../errors.ts';
import type { Operation } from '../exchange/index.ts';
import { isObject, repeatedField } from '../json/index.ts';
import type { MemoryShare } from '../memory-budget.ts';
import type { PassedRoute } from '../passthrough/index.ts';
import type { NamedProfile } from '../profile-choice.ts';

/** A client's request, parsed but not yet checked. */
export interface GatewayRequest {
  readonly dialect: Dialect;
  readonly operation: Operation;
  /** How it came, if its route is passed through; `body` is then the JSON that was read, or empty. */
  readonly passed?: PassedClientRequest | undefined;
  /** With all its fields, known or not. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The JSON text that `body` was parsed from. */
  readonly bodyText: string;
  /** How many names of fields are in it, each as often as it is there; undefined if `bodyText` was written from `body`. */
  readonly bodyNames?: number | undefined;
  /** Names in lower case; only those that a provider may see are passed on. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What the request holds in memory. */
  readonly memory: MemoryShare;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignalLike;
  /** Whose API key came with it, if keys are used. */
  readonly keyId: string | undefined;
  /** The team of that key. */
  readonly team?: string | undefined;
  /** What the client calls it by, for rules, limits and records: see `request-tags.ts`. */
  readonly tags: readonly string[];
  /** Which task it is, if the client says so; in lower case. */
  readonly task: string | undefined;
  /** The profile that header, path or API key name; `model` may name one too. */
  readonly profile?: NamedProfile | undefined;
  readonly startedMs: number;
  /** Put before its id in the ledger, so that what requests cost together can be summed; the request is in the ledger even if no limit applies. */
  readonly ledgerPrefix?: string | undefined;
  /** Its words are kept nowhere: they are not captured, not cached, and not in the decision log, whatever the configuration says. */
  readonly isPrivate?: boolean | undefined;
}

/** A request to a route that is passed through. */
export interface PassedClientRequest {
  readonly route: PassedRoute;
  /** Behind /v1, with its query; `{model}` stands for the provider's name of `model`. */
  readonly path: string;
  /** If the path names it. */
  readonly model?: string;
  /** A body that is no JSON. */
  readonly bytes?: Buffer;
}

type Path = readonly (string | number)[];

/** Throws if the value is not what it must be. */
type Check = (value: unknown, path: Path) => void;

/**
 * The fields that the gateway reads, with their types. A provider may take `"stream": "true"` for true while the gateway does not: then
 * the two disagree about what comes back, and a healthy model is taken for a broken one.
 */
const CHAT: Readonly<Record<string, Check>> = {
  messages: messageList,
  stream: booleanOrNull,
  stream_options: objectOrNull,
  stop: stopsOrNull,
  n: integerOrNull,
  max_tokens: integerOrNull,
  max_completion_tokens: integerOrNull,
  tools: toolsOrNull,
  functions: toolsOrNull,
  modalities: listOrNull,
  response_format: objectOrNull,
  output_config: objectOrNull,
  output_format: objectOrNull,
};
const ANTHROPIC: Readonly<Record<string, Check>> = {
  ...CHAT,
  system: contentOrNull,
  stop_sequences: stopsOrNull,
};
const RESPONSES: Readonly<Record<string, Check>> = {
  input: textOrItems,
  instructions: textOrNull,
  previous_response_id: textOrNull,
  conversation: conversationOrNull,
  stream: booleanOrNull,
  store: booleanOrNull,
  background: notInBackground,
  max_output_tokens: integerOrNull,
  tools: toolsOrNull,
  text: objectOrNull,
  reasoning: objectOrNull,
  include: listOrNull,
  metadata: objectOrNull,
};
const EMBEDDINGS: Readonly<Record<string, Check>> = {
  stream: notStreamed,
  input: textOrList,
  dimensions: integerOrNull,
};

const PASSED: Readonly<Record<string, Check>> = { stream: booleanOrNull };
/** What a provider keeps is kept under the operator's key: an id of it may be another client's. */
const PASSED_RESPONSES: Readonly<Record<string, Check>> = {
  ...PASSED,
  input: sentItems,
  previous_response_id: notKept,
  conversation: notKept,
};

/** Fields of the Responses API that say what the model gets, without any input beside them. */
const STANDS_FOR_INPUT = ['previous_response_id', 'conversation', 'prompt'];

/** The checks of each route. */
const CHECKS = {
  openai: { checks: CHAT, required: 'messages' },
  anthropic: { checks: ANTHROPIC, required: 'messages' },
  responses: { checks: RESPONSES, required: 'input' },
  embeddings: { checks: EMBEDDINGS, required: 'input' },
} as const;

/**
 * Checks the types in a client's body as far as the gateway reads it: one pass over messages and parts, no text is looked at. Unknown fields
 * and unknown types of parts are the provider's to judge. A field that differs from a known one in capital letters alone is refused,
 * because servers written in Go read it as the known one (https://pkg.go.dev/encoding/json#Unmarshal). So is a field that is there twice,
 * wherever it is: the provider may read the other one.
 * @throws PlimsollError `invalid-input` or `too-many-entries` that names the field
 */
export function checkBody({
  body,
  bodyText,
  bodyNames,
  dialect,
  operation,
}: Pick<GatewayRequest, 'body' | 'bodyText' | 'bodyNames' | 'dialect' | 'operation'>): void {
  const { checks, required } = CHECKS[operation === 'embeddings' ? 'embeddings' : dialect];
  checkFields({ body, bodyText, bodyNames }, checks);
  if (Object.hasOwn(body, required)) return;
  if (dialect === 'responses' && STANDS_FOR_INPUT.some((name) => body[name] != null)) return;
  checks[required]?.(undefined, [required]);
}

/**
 * Checks a JSON body that is passed on to the provider of a model by name: the fields that the gateway and the provider must read alike, and
 * that none of them goes on from what the provider keeps.
 * @throws PlimsollError `invalid-input` or `too-many-entries` that names the field
 */
export function checkPassedBody(request: CheckedBody & Pick<GatewayRequest, 'dialect'>): void {
  checkFields(request, request.dialect === 'responses' ? PASSED_RESPONSES : PASSED);
}

type CheckedBody = Pick<GatewayRequest, 'body' | 'bodyText'> & {
  readonly bodyNames?: number | undefined;
};

function checkFields(request: CheckedBody, checks: Readonly<Record<string, Check>>): void {
  const { body } = request;
  for (const name in body) {
    if (name === 'model') continue; // read elsewhere, and written anew
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) refuseOtherLetters(name, checks);
    else check(body[name], [name]);
  }
  refuseRepeated(request);
}

/**
 * The provider may read the other one.
 * @throws PlimsollError `invalid-input` that names the field
 */
export function refuseRepeated({ bodyText, body, bodyNames }: CheckedBody): void {
  const repeated = bodyNames === undefined ? undefined : repeatedField(bodyText, body, bodyNames);
  if (repeated !== undefined) throw invalid([quoted(repeated)], 'is there more than once; send it once');
}

function refuseOtherLetters(name: string, checks: Readonly<Record<string, Check>>): void {
  const folded = name.toUpperCase().toLowerCase(); // which also folds ſ and K, as Go does
  if (folded === name || (folded !== 'model' && !Object.hasOwn(checks, folded))) return;
  throw invalid([name], `must be written ${folded}`);
}

function messageList(messages: unknown, path: Path): void {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw invalid(path, 'must be a list with at least one message');
  }
  let entries = messages.length;
  for (let at = 0; at < messages.length; at++) {
    const message: unknown = messages[at];
    if (!isObject(message)) throw invalid([...path, at], 'must be an object with a role and a content');
    const { role, content, tool_calls: calls } = message;
    if (typeof role !== 'string' || role === '') throw invalid([...path, at, 'role'], 'must be a string');
    if (typeof content !== 'string') contentOrNull(content, [...path, at, 'content']);
    entries += Array.isArray(content) ? partsIn(content) : 0;
    entries += Array.isArray(calls) ? calls.length : 0;
    if (entries > MAX_ENTRIES) {
      throw tooMany(path, `must have at most ${MAX_ENTRIES} entries, with parts and tool calls`);
    }
    if (calls !== undefined) objectsOrNull(calls, [...path, at, 'tool_calls']);
  }
}

/** Messages, parts and calls of one body. Each is checked and mapped field by field, and noted if it is wrong. */
const MAX_ENTRIES = 20_000;

/** With those inside results of tools. */
function partsIn(content: readonly unknown[]): number {
  let parts = content.length;
  for (const part of content) {
    const inner = isObject(part) ? part['content'] : undefined;
    if (Array.isArray(inner)) parts += inner.length;
  }
  return parts;
}

function contentOrNull(content: unknown, path: Path): void {
  if (typeof content === 'string' || content === null || content === undefined) return;
  if (!Array.isArray(content)) throw invalid(path, 'must be a string, a list of parts, or null');
  for (let at = 0; at < content.length; at++) {
    const part: unknown = content[at];
    if (!isObject(part) || typeof part['type'] !== 'string') {
      throw invalid([...path, at], 'must be an object with a type');
    }
  }
}

function booleanOrNull(value: unknown, path: Path): void {
  if (typeof value !== 'boolean' && value !== null) throw invalid(path, 'must be true, false or null');
}

function notStreamed(value: unknown, path: Path): void {
  if (value !== false && value !== null) throw invalid(path, 'must be false: embeddings are not streamed');
}

function integerOrNull(value: unknown, path: Path): void {
  if (!Number.isInteger(value) && value !== null) throw invalid(path, 'must be a whole number or null');
}

function objectOrNull(value: unknown, path: Path): void {
  if (!isObject(value) && value !== null) throw invalid(path, 'must be an object or null');
}

function listOrNull(value: unknown, path: Path): void {
  if (!Array.isArray(value) && value !== null) throw invalid(path, 'must be a list or null');
}

function objectsOrNull(value: unknown, path: Path): void {
  listOrNull(value, path);
  const at = ((value ?? []) as readonly unknown[]).findIndex((item) => !isObject(item));
  if (at >= 0) throw invalid([...path, at], 'must be an object');
}

/** What it is made of is the provider's to judge, but every entry that is wrong is noted when it is mapped. */
function stopsOrNull(value: unknown, path: Path): void {
  if (Array.isArray(value)) refuseLonger(value, path, MAX_STOPS);
}

function refuseLonger(list: readonly unknown[], path: Path, max: number): void {
  if (list.length > max) throw tooMany(path, `must have at most ${max} entries`);
}

/** More than any model takes. */
const MAX_STOPS = 4_096;
/** More than any model takes; each is checked field by field when it is mapped. */
const MAX_TOOLS = 4_096;

function toolsOrNull(value: unknown, path: Path): void {
  objectsOrNull(value, path);
  if (Array.isArray(value)) refuseLonger(value, path, MAX_TOOLS);
}

/** The input of the Responses API: a text, or items such as messages, calls and their results. */
function textOrItems(input: unknown, path: Path): void {
  if (typeof input === 'string') return;
  if (!Array.isArray(input)) throw invalid(path, 'must be a string or a list of items');
  let entries = input.length;
  for (let at = 0; at < input.length; at++) {
    const item: unknown = input[at];
    if (!isObject(item)) throw invalid([...path, at], 'must be an object');
    const { type, role, content } = item;
    if (typeof type !== 'string' && typeof role !== 'string') {
      throw invalid([...path, at], 'must have a type, or a role and a content');
    }
    if (type === undefined || type === null || type === 'message')
      contentOrNull(content, [...path, at, 'content']);
    entries += Array.isArray(content) ? content.length : 0;
    entries += Array.isArray(item['output']) ? item['output'].length : 0;
    if (entries > MAX_ENTRIES) throw tooMany(path, `must have at most ${MAX_ENTRIES} entries, with parts`);
  }
}

/** Items themselves: a reference to one (whose type may be left out) is to what the provider keeps. */
function sentItems(input: unknown, path: Path): void {
  if (input === null) return;
  textOrItems(input, path);
  if (!Array.isArray(input)) return;
  const at = input.findIndex(({ type }) => type === 'item_reference');
  if (at >= 0) notKept(input[at], [...path, at]);
}

function notKept(value: unknown, path: Path): void {
  if (value === null) return;
  throw invalid(
    path,
    'goes on from what a provider keeps, which this route does not look up; send the items themselves as input',
  );
}

function notInBackground(value: unknown, path: Path): void {
  booleanOrNull(value, path);
  if (value === true) throw invalid(path, 'must be false: nothing runs in the background here');
}

function conversationOrNull(value: unknown, path: Path): void {
  const id = isObject(value) ? value['id'] : value;
  if (value !== null && typeof id !== 'string') {
    throw invalid(path, 'must be an id, an object with an id, or null');
  }
}

function textOrNull(value: unknown, path: Path): void {
  if (typeof value !== 'string' && value !== null) throw invalid(path, 'must be a string or null');
}

function textOrList(value: unknown, path: Path): void {
  if (typeof value !== 'string' && !Array.isArray(value)) throw invalid(path, 'must be a string or a list');
}

function invalid(path: Path, why: string, code: ErrorCode = 'invalid-input'): PlimsollError {
  const field = path.join('.');
  return new PlimsollError(code, `${field} ${why}.`, { place: { field } });
}

function tooMany(path: Path, why: string): PlimsollError {
  return invalid(path, why, 'too-many-entries');
}

/** Whether a model is asked for a reply, or a passed-through route for something else. */
export function callsModel({ operation, passed }: GatewayRequest): boolean {
  return passed !== undefined || (operation !== 'count-tokens' && operation !== 'decision');
}

/** Others are no turns of a conversation. */
export function isChat({ operation, passed }: GatewayRequest): boolean {
  return operation === 'chat' && passed === undefined;
}
