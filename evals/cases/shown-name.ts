const LONGEST_SHOWN = 80;
const MOST_WORDS = 4;

/**
 * A name from the data as a message may show it. What is too long or has too many words for a name may be a prompt in the wrong
 * column, and is only described.
 */
export function shownName(name: string): string {
  const words = name.trim().split(/\s+/);
  if (name.length <= LONGEST_SHOWN && words.length <= MOST_WORDS && !/[\p{Cc}\u2028\u2029]/u.test(name))
    return name;
  return `(a text of ${name.length} characters)`;
}

const MOST_NAMES = 12;

/** Several of them, at most twelve. */
export function shownNames(names: readonly string[]): string {
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  return `${names.slice(0, MOST_NAMES).map(shownName).join(', ')}${more}`;
}
