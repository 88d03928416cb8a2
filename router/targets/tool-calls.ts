import { createHash } from 'node:crypto';
import type { CatalogModel, ProviderKind } from '../catalog/index.ts';
import { isObject, JsonScan } from '../json/index.ts';
import type { Path } from './field-roles.ts';
import { unmappable } from './losses.ts';

/** Ids that every provider and both official clients accept. OpenAI's limit of 40 characters is the shortest. */
const PORTABLE = /^[a-zA-Z0-9_-]{1,40}$/;
/** Mistral, also on Bedrock, rejects conversations with tool call ids in any other form. */
const MISTRAL = /^[a-zA-Z0-9]{9}$/;
const MISTRAL_LENGTH = 9;
const DIGITS_AND_LETTERS = 36;
const HASH_CHARACTERS = 24;
/** What the APIs themselves refuse in an id that a client sends back to them unmapped. Servers that copy OpenAI's take any text. */
const NATIVE: Readonly<Partial<Record<ProviderKind, RegExp>>> = {
  anthropic: /^[a-zA-Z0-9_-]+$/,
  openai: /^.{1,40}$/s,
};
const ANY_TEXT = /^./s;

/**
 * The id of a tool call as a client of either API gets it: the provider's own if both APIs accept it, so that it may later go to any of
 * them, else a hash of it. The same id gives the same result in every process, since clients send it back.
 */
export function validToolId(id: string): string {
  return PORTABLE.test(id) ? id : hashedId(id);
}

function hashedId(id: string): string {
  return `call_${hash(id).toString('hex').slice(0, HASH_CHARACTERS)}`;
}

/** A hash, not a prefix: ids of one provider often begin alike. */
function mistralToolId(id: string): string {
  if (MISTRAL.test(id)) return id;
  const number = hash(id).readBigUInt64BE().toString(DIGITS_AND_LETTERS);
  return number.padStart(MISTRAL_LENGTH, '0').slice(-MISTRAL_LENGTH);
}

function hash(id: string): Buffer {
  return createHash('sha256').update(id).digest();
}

/** The ids that a provider takes. */
interface IdRule {
  /** The id itself if it is legal, else one that is. */
  readonly valid: (id: string) => string;
  /** Where two calls may not have the same id. */
  readonly uniqueIn: 'conversation' | 'turn';
}

/** For conversations that are mapped to this model. */
export function mappedIds({ provider, id }: CatalogModel): IdRule {
  const mistral = provider.kind === 'mistral' || (provider.kind === 'bedrock' && id.includes('mistral.'));
  return { valid: mistral ? mistralToolId : validToolId, uniqueIn: 'conversation' };
}

/** For conversations in the provider's own dialect: ids that it takes stay as they are. */
export function nativeIds(kind: ProviderKind): IdRule {
  const legal = NATIVE[kind] ?? ANY_TEXT;
  return {
    valid: (id) => (legal.test(id) ? id : hashedId(id)),
    uniqueIn: kind === 'anthropic' ? 'conversation' : 'turn',
  };
}

/** A tool call as its result refers to it. */
interface RecordedCall<T> {
  /** As the provider gets it. */
  readonly id: string;
  readonly call: T;
}

/** The calls with one id. */
interface CallsWithId<T> {
  readonly calls: RecordedCall<T>[];
  /** How many of them, from the first on, have their result. */
  resolved: number;
  /** The number that the next repetition of this id gets. */
  nextNumber: number;
}

/** The tool calls of one conversation in order, which of them have their result, and the ids that the provider gets for both. */
export class ToolCallIds<T> {
  readonly #rule: IdRule;
  readonly #byId = new Map<string, CallsWithId<T>>();
  readonly #taken = new Set<string>();

  constructor(rule: IdRule) {
    this.#rule = rule;
  }

  /** @returns the id that the provider gets. Some servers number the calls of each reply anew, and providers require unique ids. */
  record(id: string, call: T): string {
    let group = this.#byId.get(id);
    if (group === undefined) {
      group = { calls: [], resolved: 0, nextNumber: 2 };
      this.#byId.set(id, group);
    }
    let valid = this.#rule.valid(id);
    while (this.#taken.has(valid)) valid = this.#rule.valid(`${id}#${group.nextNumber++}`);
    this.#taken.add(valid);
    group.calls.push({ id: valid, call });
    return valid;
  }

  /** The call that a result belongs to: the first one with this id that has none. Undefined if there is none. */
  resolve(id: string): RecordedCall<T> | undefined {
    const group = this.#byId.get(id);
    const found = group?.calls[group.resolved];
    if (group === undefined || found === undefined) return undefined;
    group.resolved++;
    if (this.#rule.uniqueIn === 'turn') this.#taken.delete(found.id);
    return found;
  }

  /** The first call without a result; undefined if each has one. */
  firstOpen(): T | undefined {
    for (const { calls, resolved } of this.#byId.values()) {
      if (calls.length > resolved) return calls[resolved]!.call;
    }
    return undefined;
  }
}

/** As for bodies: limits what is expensive to parse, in all calls of a conversation together. */
const LIMITS = { maxDepth: 1_000, maxValues: 400_000 };

/** How many JSON values the inputs of a conversation had so far. */
export interface CountedValues {
  values: number;
}

/**
 * The input of a tool call that is written as text. A tool without parameters may have been called with an empty text. If the model wrote
 * something other than a JSON object, the object says so, since the client only sends back what it received.
 * @returns undefined if it is more than may be parsed
 */
export function parseToolInput(
  text: string,
  counted: CountedValues,
): Readonly<Record<string, unknown>> | undefined {
  if (text.trim() === '') return {};
  const { maxDepth, maxValues } = LIMITS;
  const scan = new JsonScan({ maxDepth, maxValues: maxValues - counted.values });
  if (scan.push(Buffer.from(text)) !== undefined) return undefined;
  counted.values += scan.values;
  try {
    const input: unknown = JSON.parse(text);
    if (isObject(input)) return input;
  } catch {
    // The return below covers this too.
  }
  return { invalid_arguments: text };
}

/**
 * The input of a tool call as clients send it back: an object, or text.
 * @throws PlimsollError that names the call, if the texts are more than may be parsed
 */
export function toolInput(given: unknown, path: Path, counted: CountedValues): unknown {
  if (isObject(given)) return given;
  const text = typeof given === 'string' ? given : JSON.stringify(given ?? {});
  const input = parseToolInput(text, counted);
  if (input !== undefined) return input;
  const { maxValues, maxDepth } = LIMITS;
  throw unmappable(
    path,
    `the arguments of the tool calls have more than ${maxValues} JSON values, or ${maxDepth} levels`,
  );
}
