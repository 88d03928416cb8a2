import { CLOSE_BRACE, CLOSE_BRACKET, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './scan.ts';
import { nameAt, stringEnd, valueAfterColon } from './text-walk.ts';

/**
 * The path of the first field that is in its object more than once, however it is written, such as `messages.0.role`; undefined if there
 * is none. JSON.parse keeps the last value and other parsers the first (RFC 8259, section 4): two readers of the same text may disagree
 * about it. Nearly always the names are counted and nothing else is done. Takes time in proportion to the length.
 * @param text a JSON value
 * @param parsed what JSON.parse makes of `text`
 * @param names how many names of fields are in `text`, each as often as it is there: `JsonScan.names`
 */
export function repeatedField(text: string, parsed: unknown, names: number): string | undefined {
  return namesIn(parsed) === names ? undefined : firstRepeated(text);
}

/** The names of all fields inside a value. Without recursion: it may be deep. */
function namesIn(value: unknown): number {
  const waiting: unknown[] = [value];
  let names = 0;
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== 'object' || next === null) continue;
    if (Array.isArray(next)) {
      for (const item of next) if (typeof item === 'object') waiting.push(item);
      continue;
    }
    for (const name in next) {
      names++;
      const inner = (next as Record<string, unknown>)[name];
      if (typeof inner === 'object') waiting.push(inner);
    }
  }
  return names;
}

/** An object or list whose end has not come. */
interface Level {
  /** Undefined for a list. */
  readonly names: Set<string> | undefined;
  /** The field or element that is being read. */
  step: string | number;
}

function firstRepeated(text: string): string | undefined {
  const levels: Level[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const level = levels.at(-1);
    if (code === OPEN_BRACE) levels.push({ names: new Set(), step: '' });
    else if (code === OPEN_BRACKET) levels.push({ names: undefined, step: 0 });
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) levels.pop();
    else if (code === COMMA && typeof level?.step === 'number') level.step++;
    else if (code === QUOTE) {
      const end = stringEnd(text, at);
      if (level?.names !== undefined && valueAfterColon(text, end) !== -1) {
        level.step = nameAt(text, at, end);
        if (level.names.has(level.step)) return levels.map(({ step }) => step).join('.');
        level.names.add(level.step);
      }
      at = end - 1;
    }
  }
  return undefined;
}
