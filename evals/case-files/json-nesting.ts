import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from '../../router/json/index.ts';

const TAB = 0x09;
export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;
export const SPACE = 0x20;

const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

export type NestingState = 'open' | 'closed' | 'malformed';

/** Follows the brackets and strings of one JSON object, line by line. */
export class JsonNesting {
  readonly #closers: number[] = [];
  /** A key or the end of the object must follow. */
  #expectsKey = false;
  /** A value has ended: a comma, a colon or a closing bracket must follow. */
  #afterValue = false;

  read(raw: Buffer): NestingState {
    for (let at = 0; at < raw.length; at++) {
      const byte = raw[at]!;
      if (byte <= SPACE || (byte === 0xef && isMark(raw, at))) {
        if (byte > SPACE) at += BYTE_ORDER_MARK.length - 1;
        continue;
      }
      if (byte === QUOTE) {
        at = stringEnd(raw, at);
        if (at === -1 || this.#afterValue) return 'malformed';
        this.#expectsKey = false;
        this.#afterValue = true;
      } else if (!this.#accepts(byte)) return 'malformed';
      if (this.#closers.length === 0) return isBlank(raw.subarray(at + 1)) ? 'closed' : 'malformed';
    }
    return 'open';
  }

  #accepts(byte: number): boolean {
    const inObject = this.#closers.at(-1) === CLOSE_BRACE;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (this.#afterValue || this.#expectsKey) return false;
      this.#closers.push(byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET);
      this.#expectsKey = byte === OPEN_BRACE;
      return true;
    }
    if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      this.#expectsKey = false;
      this.#afterValue = true;
      return this.#closers.pop() === byte;
    }
    if (this.#expectsKey) return false;
    this.#afterValue = byte !== COMMA && byte !== COLON;
    this.#expectsKey = byte === COMMA && inObject;
    return true;
  }
}

/** The closing quote of the string that begins at `from`; -1 if there is none. */
function stringEnd(raw: Buffer, from: number): number {
  for (let at = from + 1; at < raw.length; at++) {
    if (raw[at] === BACKSLASH) at++;
    else if (raw[at] === QUOTE) return at;
  }
  return -1;
}

/** Skips white space and a byte order mark. */
export function firstVisibleByte(raw: Buffer): number | undefined {
  for (let at = isMark(raw, 0) ? BYTE_ORDER_MARK.length : 0; at < raw.length; at++) {
    if (raw[at]! > SPACE) return raw[at];
  }
  return undefined;
}

export function lastVisibleByte(raw: Buffer): number | undefined {
  for (let at = raw.length - 1; at >= 0; at--) if (raw[at]! > SPACE) return raw[at];
  return undefined;
}

function isMark(raw: Buffer, at: number): boolean {
  return BYTE_ORDER_MARK.every((byte, index) => raw[at + index] === byte);
}

/** Only space, tab and line ends. */
export function isBlank(raw: Buffer): boolean {
  return raw.every(
    (byte) => byte === SPACE || byte === TAB || byte === LINE_FEED || byte === CARRIAGE_RETURN,
  );
}
