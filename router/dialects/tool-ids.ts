import { createHash } from 'node:crypto';
import type { CatalogModel } from '../catalog/index.ts';
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

/** The calls of one id. */
interface CallsOfId {
  readonly made: KnownCall[];
  /** How many of them have their result: the first ones. */
  answered: number;
  /** What the next call of this id is numbered. */
  next: number;
}

/** The calls of one conversation in the order in which they were made, and which of them have their result. */
export class ToolCalls {
  readonly #valid: (id: string) => string;
  readonly #calls = new Map<string, CallsOfId>();
  readonly #taken = new Set<string>();

  constructor(model: CatalogModel) {
    this.#valid = toolIdsFor(model);
  }

  /** Some servers count the calls of each reply anew: an id that was given before gets another one, since providers want each once. */
  made(id: string, name: string, path: Path): string {
    const known = this.#calls.get(id);
    const calls: CallsOfId = known ?? { made: [], answered: 0, next: 2 };
    if (known === undefined) this.#calls.set(id, calls);
    let valid = this.#valid(id);
    while (this.#taken.has(valid)) valid = this.#valid(`${id}#${calls.next++}`);
    this.#taken.add(valid);
    calls.made.push({ id: valid, name, path });
    return valid;
  }

  /**
   * The call that a result belongs to: the first one of this id that has none.
   * @throws PlimsollError `invalid-input` that names the field, if there is none
   */
  answered(id: string, path: Path): KnownCall {
    const calls = this.#calls.get(id);
    const call = calls?.made[calls.answered];
    if (calls === undefined || call === undefined) {
      throw unmappable(
        path,
        'no message of the assistant before it has a tool call with this id that waits for a result',
      );
    }
    calls.answered++;
    return call;
  }

  /** @throws PlimsollError `invalid-input` that names the first call without a result: no provider takes such a conversation */
  requireResults(): void {
    for (const { made, answered } of this.#calls.values()) {
      const call = made[answered];
      if (call)
        throw unmappable(
          call.path,
          'this tool call has no result; send one for each call, before the next turn of the assistant',
        );
    }
  }
}
