import { randomUUID } from 'node:crypto';
import { isObject } from '../json/index.ts';
import { countIn, type Json, objectIn, textIn } from './reply-fields.ts';

interface Call {
  readonly index: number;
  /** As the provider names it; undefined if it does not. */
  givenId: string | undefined;
  readonly givenIndex: number | undefined;
  name: string | undefined;
  /** Arguments that came before the name. */
  waiting: string;
  started: boolean;
}

/**
 * Puts the pieces of streamed tool calls in order. Servers leave out index or id, repeat them in every piece, count each call as the
 * first, or give two calls the same id. What comes out has the index in each piece, and id and name in the first one of each call.
 */
export class StreamedCalls {
  readonly #calls: Call[] = [];
  readonly #ids = new Set<string>();

  deltas(pieces: readonly Json[]): Json[] {
    return pieces.flatMap((piece) => this.#delta(piece));
  }

  #delta(piece: Json): Json[] {
    const call = this.#callOf(piece);
    const of = objectIn(piece, 'function');
    const text = argumentsOf(of);
    call.name ??= textIn(of, 'name');
    if (call.name === undefined) {
      call.waiting += text;
      return [];
    }
    const { index, name } = call;
    if (call.started) return text === '' ? [] : [{ index, function: { arguments: text } }];
    call.started = true;
    const id = uniqueId(call.givenId, this.#ids);
    return [{ index, id, type: 'function', function: { name, arguments: call.waiting + text } }];
  }

  #callOf(piece: Json): Call {
    const id = textIn(piece, 'id');
    const index = countIn(piece, 'index');
    const name = textIn(objectIn(piece, 'function'), 'name');
    const found = this.#known(id, index, name);
    if (found === undefined) {
      const call = {
        index: this.#calls.length,
        givenId: id,
        givenIndex: index,
        name: undefined,
        waiting: '',
        started: false,
      };
      this.#calls.push(call);
      return call;
    }
    found.givenId ??= id;
    return found;
  }

  /** A piece that has neither index nor id belongs to the last call, unless it names another tool. */
  #known(id: string | undefined, index: number | undefined, name: string | undefined): Call | undefined {
    if (index !== undefined) {
      const call = this.#calls.findLast(({ givenIndex }) => givenIndex === index);
      const other = id !== undefined && call?.givenId !== undefined && call.givenId !== id;
      return other && name !== undefined ? undefined : call;
    }
    if (id !== undefined) return this.#calls.findLast(({ givenId }) => givenId === id);
    const last = this.#calls.at(-1);
    return name !== undefined && last?.name !== undefined ? undefined : last;
  }
}

/** The calls of a plain reply: those without a name are none. */
export function wholeCalls(calls: readonly Json[]): Json[] {
  const ids = new Set<string>();
  return calls.flatMap((call) => {
    const of = objectIn(call, 'function');
    const name = textIn(of, 'name');
    if (name === undefined) return [];
    return [
      {
        id: uniqueId(textIn(call, 'id'), ids),
        type: 'function',
        function: { name, arguments: argumentsOf(of) },
      },
    ];
  });
}

/** Some servers send the arguments parsed. */
function argumentsOf(of: Json): string {
  const given = of['arguments'];
  if (typeof given === 'string') return given;
  return isObject(given) ? JSON.stringify(given) : '';
}

/** Clients find a call's result by its id, so each has one and no two have the same. */
function uniqueId(given: string | undefined, taken: Set<string>): string {
  let id = given ?? `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
  for (let again = 2; taken.has(id); again++) id = `${given}_${again}`;
  taken.add(id);
  return id;
}
