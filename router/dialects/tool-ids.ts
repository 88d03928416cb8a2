import { createHash } from 'node:crypto';
import type { CatalogModel } from '../catalog/types.ts';
import { unmappable } from './unmappable.ts';

type Path = readonly PropertyKey[];

/** What every provider and both official clients take. OpenAI's limit of 40 characters is the shortest. */
const EVERYWHERE = /^[a-zA-Z0-9_-]{1,40}$/;
/** Mistral refuses a conversation with ids of tool calls in any other form, also on Bedrock. */
const MISTRAL = /^[a-zA-Z0-9]{9}$/;
const MISTRAL_CHARACTERS = 9;
const DIGITS_AND_LETTERS = 36;
const HASH_CHARACTERS = 24;

/**
 * The id of a tool call as a client of either API gets it. A provider's own if it is one that both APIs take, so that it may go to any of
 * them later; else a hash of it. The same id gives the same in every process: it comes back, and results find their call.
 */
export function validToolId(id: string): string {
  return EVERYWHERE.test(id) ? id : `call_${hashOf(id).toString('hex').slice(0, HASH_CHARACTERS)}`;
}

/** The ids of tool calls that the provider of this model takes. */
export function toolIdsFor({ provider, id }: CatalogModel): (id: string) => string {
  const onBedrock = provider.kind === 'bedrock' && id.includes('mistral.');
  return provider.kind === 'mistral' || onBedrock ? mistralId : validToolId;
}

/** A hash, not the beginning of the id: ids of one provider begin alike. */
function mistralId(id: string): string {
  if (MISTRAL.test(id)) return id;
  const number = hashOf(id).readBigUInt64BE().toString(DIGITS_AND_LETTERS);
  return number.padStart(MISTRAL_CHARACTERS, '0').slice(-MISTRAL_CHARACTERS);
}

function hashOf(id: string): Buffer {
  return createHash('sha256').update(id).digest();
}

/** A call as its result finds it. */
export interface KnownCall {
  /** As the provider gets it. */
  readonly id: string;
  readonly name: string;
  readonly path: Path;
}

/** The calls of one conversation in the order in which they were made, and which of them have their result. */
export class ToolCalls {
  readonly #valid: (id: string) => string;
  readonly #calls = new Map<string, KnownCall[]>();
  readonly #taken = new Set<string>();

  constructor(model: CatalogModel) {
    this.#valid = toolIdsFor(model);
  }

  /** Some servers count the calls of each reply anew: an id that was given before gets another one, since providers want each once. */
  made(id: string, name: string, path: Path): string {
    const earlier = this.#calls.get(id) ?? [];
    let valid = this.#valid(id);
    for (let again = 2; this.#taken.has(valid); again++) valid = this.#valid(`${id}#${again}`);
    this.#taken.add(valid);
    this.#calls.set(id, [...earlier, { id: valid, name, path }]);
    return valid;
  }

  /**
   * The call that a result belongs to: the first one of this id that has none.
   * @throws PlimsollError `invalid-input` that names the field, if there is none
   */
  answered(id: string, path: Path): KnownCall {
    const [call, ...later] = this.#calls.get(id) ?? [];
    if (call === undefined) {
      throw unmappable(
        path,
        'no message of the assistant before it has a tool call with this id that waits for a result',
      );
    }
    this.#calls.set(id, later);
    return call;
  }

  /** @throws PlimsollError `invalid-input` that names the first call without a result: no provider takes such a conversation */
  requireResults(): void {
    for (const [call] of this.#calls.values()) {
      if (call)
        throw unmappable(
          call.path,
          'this tool call has no result; send one for each call, before the next turn of the assistant',
        );
    }
  }
}
