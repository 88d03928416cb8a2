import { mapTexts } from '../json/index.ts';
import { nameFinder } from './names.ts';
import { findCards, findEmails, findIbans, findKeys } from './patterns.ts';
import { phoneFinder } from './phones.ts';
import { type Finder, plainSigns, type RedactedKind, type Span } from './spans.ts';

export interface RedactionOptions {
  /** What is replaced. */
  readonly kinds: readonly RedactedKind[];
  /** Used by `name`. */
  readonly names?: readonly string[] | undefined;
  /** Used by `phone`: ISO 3166-1 in capitals; default `DEFAULT_PHONE_COUNTRIES`. */
  readonly phoneCountries?: readonly string[] | undefined;
}

/** Replaces personal data in the texts of one request. The same value has the same number in all of them. */
export interface RequestRedactor {
  text(text: string): string;
  /** All texts in a JSON value, at any depth; names of fields stay. */
  json<Value>(value: Value): Value;
}

/** What overlaps belongs to the first of these that found it. */
const ORDER: readonly RedactedKind[] = ['key', 'email', 'iban', 'card', 'phone', 'name'];

/**
 * Personal data by form: `[email 1]`, `[phone 2]` in place of the first address and the second number of a request. What has no form, such
 * as a street or a name that is not listed, stays. Takes time in proportion to the length.
 * @returns what begins a new request
 * @throws PlimsollError `invalid-config` if a country is unknown
 */
export function createRedactor({
  kinds,
  names = [],
  phoneCountries,
}: RedactionOptions): () => RequestRedactor {
  const all: Readonly<Record<RedactedKind, () => Finder>> = {
    key: () => findKeys,
    email: () => findEmails,
    iban: () => findIbans,
    card: () => findCards,
    phone: () => phoneFinder(phoneCountries),
    name: () => nameFinder(names),
  };
  const finders = ORDER.filter((kind) => kinds.includes(kind)).map((kind) => all[kind]());
  return () => {
    const placeholders = new Placeholders();
    const text = (given: string) => replaced(given, finders, placeholders);
    return { text, json: (value) => mapTexts(value, text) };
  };
}

class Placeholders {
  readonly #numbers = new Map<RedactedKind, Map<string, number>>();

  of({ kind, value }: Span): string {
    const numbers = this.#numbers.get(kind) ?? new Map<string, number>();
    this.#numbers.set(kind, numbers);
    const number = numbers.get(value) ?? numbers.size + 1;
    numbers.set(value, number);
    return `[${kind} ${number}]`;
  }
}

function replaced(text: string, finders: readonly Finder[], placeholders: Placeholders): string {
  const spans = spansOf(plainSigns(text), finders);
  if (spans.length === 0) return text;
  let result = '';
  let from = 0;
  for (const span of spans) {
    result += text.slice(from, span.start) + placeholders.of(span);
    from = span.end;
  }
  return result + text.slice(from);
}

/** In order, none over another. */
function spansOf(text: string, finders: readonly Finder[]): Span[] {
  let taken: Span[] = [];
  for (const find of finders) {
    const found = [...find(text)].sort((a, b) => a.start - b.start);
    taken = merged(taken, found);
  }
  return taken;
}

/** Both in order: `taken`, and what is found besides it and overlaps nothing before. Takes time in proportion to their number. */
function merged(taken: readonly Span[], found: readonly Span[]): Span[] {
  if (found.length === 0) return [...taken];
  const result: Span[] = [];
  let next = 0;
  for (const span of found) {
    for (let before = taken[next]; before && before.start < span.start; before = taken[++next])
      result.push(before);
    const [last, after] = [result.at(-1), taken[next]];
    if ((last && last.end > span.start) || (after && after.start < span.end)) continue;
    result.push(span);
  }
  return result.concat(taken.slice(next));
}
