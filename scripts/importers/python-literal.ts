import { BadRow } from '../../evals/cases/index.ts';

const STRING = /\s*(?:'((?:[^'\\]|\\[\s\S])*)'|"((?:[^"\\]|\\[\s\S])*)")/y;
const NUMBER = /\s*-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/iy;
const CONSTANT = /\s*(?:True|False|None)/y;
const ESCAPE = /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|([\s\S]))/gi;

const LETTERS: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '\n': '' };
const CONSTANTS: Readonly<Record<string, unknown>> = { True: true, False: false, None: null };

/**
 * Reads what Python's repr() wrote of strings, numbers, True, False, None, lists and dicts: sources keep lists so in CSV cells.
 * @example pythonLiteral("['it\\'s', 1]"); // ["it's", 1]
 * @throws BadRow: anything else
 */
export function pythonLiteral(text: string): unknown {
  const reader = new LiteralReader(text);
  const value = reader.value();
  reader.end();
  return value;
}

class LiteralReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): unknown {
    if (this.#sign('[')) return this.#list();
    if (this.#sign('{')) return Object.fromEntries(this.#entries());
    const string = this.#match(STRING);
    if (string !== null) return unescaped(string[1] ?? string[2] ?? '');
    const constant = this.#match(CONSTANT);
    if (constant !== null) return CONSTANTS[constant[0].trim()];
    const number = this.#match(NUMBER);
    if (number !== null) return Number(number[0]);
    throw this.#bad();
  }

  end(): void {
    if (this.#text.slice(this.#at).trim() !== '') throw this.#bad();
  }

  #list(): unknown[] {
    const items: unknown[] = [];
    while (!this.#sign(']')) {
      items.push(this.value());
      if (!this.#sign(',') && !this.#peek(']')) throw this.#bad();
    }
    return items;
  }

  #entries(): [string, unknown][] {
    const entries: [string, unknown][] = [];
    while (!this.#sign('}')) {
      const key = String(this.value());
      if (!this.#sign(':')) throw this.#bad();
      entries.push([key, this.value()]);
      if (!this.#sign(',') && !this.#peek('}')) throw this.#bad();
    }
    return entries;
  }

  #peek(sign: string): boolean {
    return this.#text.slice(this.#at).trimStart().startsWith(sign);
  }

  #sign(sign: string): boolean {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }

  #bad(): BadRow {
    return new BadRow(`not a Python literal at character ${this.#at + 1}`);
  }
}

function unescaped(body: string): string {
  return body.replace(ESCAPE, (_whole, hex2?: string, hex4?: string, hex8?: string, letter?: string) => {
    const code = hex2 ?? hex4 ?? hex8;
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
    return LETTERS[letter ?? ''] ?? letter ?? '';
  });
}
