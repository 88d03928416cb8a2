const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);

/**
 * The text of a JSON object with another value of its own `model`, and every other character as it came: numbers that no double can
 * hold, the order of the fields and their spaces too. Where `model` stands twice, both are replaced. Takes time in proportion to the
 * length; strings are jumped over.
 * @param text valid JSON, an object whose `model` is a string
 */
export function withModel(text: string, model: string): string {
  const value = JSON.stringify(model);
  let out = '';
  let from = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text.charCodeAt(at);
    if (OPENING.has(sign)) depth++;
    else if (CLOSING.has(sign)) depth--;
    else if (sign === QUOTE) {
      const end = stringEnd(text, at);
      const old = depth === 1 && isModel(text.slice(at, end)) ? valueAfter(text, end) : -1;
      at = end - 1;
      if (old === -1) continue;
      out += text.slice(from, old) + value;
      from = stringEnd(text, old);
      at = from - 1;
    }
  }
  return out + text.slice(from);
}

/** The place after the closing quote of the string that opens at `at`. */
function stringEnd(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

/** Behind an odd number of backslashes. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}

/** @param string with its quotes; any of its characters may be written as an escape */
function isModel(string: string): boolean {
  return string === '"model"' || (string.includes('\\') && JSON.parse(string) === 'model');
}

/** Where the value begins whose name ends before `at`; -1 where what ended there is a value itself. */
function valueAfter(text: string, at: number): number {
  const colon = afterSpaces(text, at);
  return text[colon] === ':' ? afterSpaces(text, colon + 1) : -1;
}

function afterSpaces(text: string, from: number): number {
  let at = from;
  while (' \t\n\r'.includes(text[at]!)) at++;
  return at;
}
