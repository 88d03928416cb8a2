import { createHash } from 'node:crypto';
import type { CatalogModel } from '../catalog/index.ts';
import { type Path, unmappable } from './losses.ts';

/** Ids that every provider and both official clients accept. OpenAI's limit of 40 characters is the shortest. */
const PORTABLE = /^[a-zA-Z0-9_-]{1,40}$/;
/** Mistral, also on Bedrock, rejects conversations with tool call ids in any other form. */
const MISTRAL = /^[a-zA-Z0-9]{9}$/;
const MISTRAL_LENGTH = 9;
const DIGITS_AND_LETTERS = 36;
const HASH_CHARACTERS = 24;

/**
 * The id of a tool call as a client of either API gets it: the provider's own if both APIs accept it, so that it may later go to any of
 * them, else a hash of it. The same id gives the same result in every process, since clients send it back.
 */
export function validToolId(id: string): string {
  return PORTABLE.test(id) ? id : `call_${hash(id).toString('hex').slice(0, HASH_CHARACTERS)}`;
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

/** A tool call as its result refers to it. */
interface RecordedCall {
  /** As the provider gets it. */
  readonly id: string;
  readonly name: string;
  readonly path: Path;
}

/** The calls with one id. */
interface CallsWithId {
  readonly calls: RecordedCall[];
  /** How many of them, from the first on, have their result. */
  resolved: number;
  /** The number that the next repetition of this id gets. */
  nextNumber: number;
}

/** The tool calls of one conversation in order, and which of them have their result. */
export class ToolCalls {
  readonly #validId: (id: string) => string;
  readonly #byId = new Map<string, CallsWithId>();
  readonly #taken = new Set<string>();

  constructor({ provider, id }: CatalogModel) {
    const mistral = provider.kind === 'mistral' || (provider.kind === 'bedrock' && id.includes('mistral.'));
    this.#validId = mistral ? mistralToolId : validToolId;
  }

  /** @returns the id that the provider gets. Some servers number the calls of each reply anew, and providers require unique ids. */
  record(id: string, name: string, path: Path): string {
    let group = this.#byId.get(id);
    if (group === undefined) {
      group = { calls: [], resolved: 0, nextNumber: 2 };
      this.#byId.set(id, group);
    }
    let valid = this.#validId(id);
    while (this.#taken.has(valid)) valid = this.#validId(`${id}#${group.nextNumber++}`);
    this.#taken.add(valid);
    group.calls.push({ id: valid, name, path });
    return valid;
  }

  /**
   * The call that a result belongs to: the first one with this id that has none.
   * @throws PlimsollError `invalid-input` that names the field, if there is none
   */
  resolve(id: string, path: Path): RecordedCall {
    const group = this.#byId.get(id);
    const call = group?.calls[group.resolved];
    if (group === undefined || call === undefined) {
      throw unmappable(
        path,
        'no message of the assistant before it has a tool call with this id that waits for a result',
      );
    }
    group.resolved++;
    return call;
  }

  /** @throws PlimsollError `invalid-input` that names the first call without a result: no provider accepts such a conversation */
  requireResults(): void {
    for (const { calls, resolved } of this.#byId.values()) {
      const call = calls[resolved];
      if (call)
        throw unmappable(
          call.path,
          'this tool call has no result; send one for each call, before the next turn of the assistant',
        );
    }
  }
}
