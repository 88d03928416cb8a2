/** The punctuation of JSON (RFC 8259, section 2), as bytes and as UTF-16 units. V8 folds constants of the module itself into a loop, but not imported ones. */
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

/** After this many plain characters of a string its end is searched natively, which pays for long strings only. */
const PLAIN_RUN = 16;
/** Every new field name is put into a table of the engine and may make a new shape of object: several times as expensive as a value. */
const WEIGHT_OF_NAME = 4;
/** An object or list is allocated, and checked by whoever reads it. */
const WEIGHT_OF_CONTAINER = 8;

export interface JsonLimits {
  /** Levels of objects and arrays. */
  readonly maxDepth: number;
  /** Values; an object or list counts eight more, a field's name four more. */
  readonly maxValues: number;
}

/**
 * Counts depth and values of JSON bytes as they arrive, so that what would be expensive to parse is refused before it is whole. One cheap
 * pass: it knows strings from structure and does not check the rest, which is JSON.parse's task. UTF-8 bytes of characters beyond ASCII
 * never look like structure.
 */
export class JsonScan {
  readonly #limits: JsonLimits;
  #depth = 0;
  #values = 1;
  #names = 0;
  #inString = false;
  #escaped = false;

  constructor(limits: JsonLimits) {
    this.#limits = limits;
  }

  /** So far. */
  get values(): number {
    return this.#values;
  }

  /** Names of fields so far, each as often as it is there. */
  get names(): number {
    return this.#names;
  }

  /** Whether no string, object or list is open: before the first value, or after a whole one. */
  get closed(): boolean {
    return this.#depth === 0 && !this.#inString;
  }

  /** @returns the limit that these bytes break. Of no use after that */
  push(bytes: Buffer): 'too-deep' | 'too-many-values' | undefined {
    const { maxDepth, maxValues } = this.#limits;
    const length = bytes.length;
    let depth = this.#depth;
    let values = this.#values;
    let names = this.#names;
    let at = 0;
    if (this.#inString) at = this.#skipString(bytes, 0);
    while (at < length) {
      const byte = bytes[at++];
      if (byte === QUOTE) at = this.#skipString(bytes, at);
      else if (byte === COMMA) values++;
      else if (byte === COLON) names++;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        values += WEIGHT_OF_CONTAINER;
        if (++depth > maxDepth) return 'too-deep';
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
    }
    this.#depth = depth;
    this.#values = values + (names - this.#names) * WEIGHT_OF_NAME;
    this.#names = names;
    return this.#values > maxValues ? 'too-many-values' : undefined;
  }

  /** @returns the place after the closing quote; the length if these bytes end within the string */
  #skipString(bytes: Buffer, from: number): number {
    const length = bytes.length;
    let at = this.#escaped ? from + 1 : from;
    let runEnd = at + PLAIN_RUN;
    this.#escaped = false;
    while (at < length) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        this.#inString = false;
        return at + 1;
      }
      if (byte === BACKSLASH) {
        at += 2;
        runEnd = at + PLAIN_RUN;
      } else if (++at >= runEnd) {
        const found = bytes.indexOf(QUOTE, at);
        const end = found === -1 ? length : found;
        const escaped = backslashesBefore(bytes, end, at) % 2 === 1;
        at = escaped ? end + 1 : end;
        runEnd = at + PLAIN_RUN;
      }
    }
    this.#inString = true;
    this.#escaped = at > length;
    return length;
  }
}

function backslashesBefore(bytes: Buffer, end: number, from: number): number {
  let first = end;
  while (first > from && bytes[first - 1] === BACKSLASH) first--;
  return end - first;
}
