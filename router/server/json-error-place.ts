/** Lines and columns count from 1. */
export interface JsonErrorPlace {
  readonly line: number;
  readonly column: number;
  /** The text ended before the value did. */
  readonly ended: boolean;
}

/** What may stand next. `key-or-end` and `value-or-end` follow an opening bracket. */
type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing';

/** How far the scan came, and what may stand there. No `expected`: the text is wrong here. */
interface Step {
  readonly at: number;
  readonly expected?: Expected;
}

/**
 * Where a text stops being JSON. JSON.parse knows, but says so in words that quote the text, and a prompt must not
 * come back in an error. A loop with its own stack: deep nesting and long strings cost time in proportion, no more.
 */
export function jsonErrorPlace(text: string): JsonErrorPlace {
  const open: string[] = [];
  let step: Step = { at: 0, expected: 'value' };
  let at = 0;
  while (step.expected !== undefined) {
    at = afterWhiteSpace(text, step.at);
    step = stepFrom(text, at, step.expected, open);
  }
  return placeAt(text, step.at);
}

function stepFrom(text: string, at: number, expected: Expected, open: string[]): Step {
  const mark = text[at];
  if (mark === undefined || expected === 'nothing') return { at };
  if (expected === 'colon') return mark === ':' ? { at: at + 1, expected: 'value' } : { at };
  if (expected.endsWith('-or-end') && mark === open.at(-1)) {
    open.pop();
    return { at: at + 1, expected: afterValue(open) };
  }
  if (expected === 'comma-or-end') {
    return mark === ',' ? { at: at + 1, expected: open.at(-1) === '}' ? 'key' : 'value' } : { at };
  }
  if (expected === 'key' || expected === 'key-or-end') return stringStep(text, at, 'colon');
  if (mark === '{' || mark === '[') {
    open.push(mark === '{' ? '}' : ']');
    return { at: at + 1, expected: mark === '{' ? 'key-or-end' : 'value-or-end' };
  }
  return mark === '"' ? stringStep(text, at, afterValue(open)) : scalarStep(text, at, afterValue(open));
}

function afterValue(open: readonly string[]): Expected {
  return open.length > 0 ? 'comma-or-end' : 'nothing';
}

function afterWhiteSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
  return at;
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

function stringStep(text: string, start: number, expected: Expected): Step {
  if (text[start] !== '"') return { at: start };
  for (let at = start + 1; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return { at: at + 1, expected };
    ESCAPE.lastIndex = at;
    if (code < 0x20 || (code === 0x5c && !ESCAPE.test(text))) return { at };
    at = code === 0x5c ? ESCAPE.lastIndex : at + 1;
  }
  return { at: text.length };
}

const SCALAR = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;
const LONGEST_SCALAR = 1000;

/** A longer number than any sender means is called wrong, so that the pattern runs over a short text. */
function scalarStep(text: string, start: number, expected: Expected): Step {
  let end = start;
  while (end - start <= LONGEST_SCALAR && /[\w.+-]/.test(text[end] ?? '')) end++;
  return SCALAR.test(text.slice(start, end)) ? { at: end, expected } : { at: start };
}

function placeAt(text: string, at: number): JsonErrorPlace {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return { line, column: at - before.lastIndexOf('\n'), ended: at >= text.length };
}
