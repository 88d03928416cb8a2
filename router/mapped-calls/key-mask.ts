import { KEY_MASK, withoutKey } from '../provider-key.ts';
import type { StreamPart } from '../targets/index.ts';

/**
 * Takes a key out of a text that comes in pieces, wherever they cut it. Only an end that may be the beginning of the key is held back, so
 * most pieces go on as they come.
 */
export class KeyMask {
  readonly #key: string;
  #held = '';

  constructor(key: string) {
    this.#key = key;
  }

  /** @returns what can go on now */
  push(piece: string): string {
    const texts = (this.#held + piece).split(this.#key);
    const last = texts.pop()!;
    const start = this.#startIn(last);
    this.#held = last.slice(start);
    return [...texts, last.slice(0, start)].join(KEY_MASK);
  }

  /** @returns what was held back, since nothing more follows */
  end(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /** Where the longest end of the text begins that is a beginning of the key; the text's length if none is. */
  #startIn(text: string): number {
    const first = this.#key.charAt(0);
    let at = text.indexOf(first, Math.max(0, text.length - this.#key.length + 1));
    while (at !== -1 && !this.#key.startsWith(text.slice(at))) at = text.indexOf(first, at + 1);
    return at === -1 ? text.length : at;
  }
}

/**
 * Takes a key out of the texts and the inputs of tools of one stream.
 * @returns for each part what goes on in its place
 */
export function maskedParts(key: string): (part: StreamPart) => readonly StreamPart[] {
  const text = new KeyMask(key); // clients read all texts of a reply as one
  const inputs = new Map<string, KeyMask>();
  const restOfText = (): StreamPart[] => asText(text.end());
  const restOfInput = (id: string): StreamPart[] => asInput(id, inputs.get(id)?.end() ?? '');

  return (part) => {
    switch (part.type) {
      case 'text-delta':
        return asText(text.push(part.delta));
      case 'tool-input-start':
        inputs.set(part.id, new KeyMask(key));
        return [...restOfText(), part];
      case 'tool-input-delta':
        return asInput(part.id, inputs.get(part.id)?.push(part.delta) ?? withoutKey(part.delta, key));
      case 'tool-input-end':
        return [...restOfInput(part.id), part];
      case 'tool-call': {
        const masked = { ...part, input: withoutKey(part.input, key) };
        return [...restOfText(), ...restOfInput(part.toolCallId), masked];
      }
      case 'finish':
        return [...restOfText(), ...[...inputs.keys()].flatMap(restOfInput), part];
      default:
        return [part];
    }
  };
}

/** The id of a text says nothing to clients. */
function asText(delta: string): StreamPart[] {
  return delta === '' ? [] : [{ type: 'text-delta', id: '', delta }];
}

function asInput(id: string, delta: string): StreamPart[] {
  return delta === '' ? [] : [{ type: 'tool-input-delta', id, delta }];
}
