import type { Finder } from './spans.ts';

/** Longer entries of a list of names are cut there. */
const MOST_WORDS = 8;
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’.-][\p{L}\p{M}\p{N}]+)*/gu;
const WITHOUT_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

interface Node {
  readonly next: Map<string, Node>;
  /** A name ends here; with one word it must be written as in the list, or in capitals. */
  ends?: { readonly exact: string | undefined };
}

/**
 * Names of a list, as whole words, in any case; a name of one word only as it is written there, or in capitals, since `may` is a verb.
 * Names in a script without spaces are found anywhere. Other forms of a name, such as those of a case, are other names.
 */
export function nameFinder(names: readonly string[]): Finder {
  const root: Node = { next: new Map() };
  const anywhere = new Set<string>();
  for (const name of names) {
    if (WITHOUT_SPACES.test(name)) anywhere.add(name.trim());
    else addName(root, name);
  }
  const longest = Math.max(0, ...[...anywhere].map(({ length }) => length));
  return function* (text) {
    yield* wordNames(text, root);
    yield* namesAnywhere(text, anywhere, longest);
  };
}

function addName(root: Node, name: string): void {
  const words = [...name.matchAll(WORD)].slice(0, MOST_WORDS).map(([word]) => word);
  let node = root;
  for (const word of words) {
    const key = word.toLowerCase();
    const next = node.next.get(key) ?? { next: new Map() };
    node.next.set(key, next);
    node = next;
  }
  if (words.length > 0) node.ends = { exact: words.length === 1 ? words[0] : undefined };
}

/** The longest name at each word; none begins inside another. */
function* wordNames(text: string, root: Node) {
  const words = [...text.matchAll(WORD)].map(({ 0: word, index }) => ({ word, index }));
  for (let at = 0; at < words.length; at++) {
    const last = lastWord(words, at, root);
    if (last === undefined) continue;
    const [start, end] = [words[at]!.index, last.end];
    yield { kind: 'name', start, end, value: text.slice(start, end).toLowerCase() } as const;
    at = last.at;
  }
}

function lastWord(
  words: readonly { readonly word: string; readonly index: number }[],
  from: number,
  root: Node,
) {
  let node: Node | undefined = root;
  let found: { readonly at: number; readonly end: number } | undefined;
  for (let at = from; at < words.length && at - from < MOST_WORDS; at++) {
    const { word, index } = words[at]!;
    const bare: string = node.next.has(word.toLowerCase()) ? word : word.replace(/['’]s?$|['’]s(?=-)/u, '');
    node = node.next.get(bare.toLowerCase());
    if (node === undefined) break;
    const { ends } = node;
    const isName =
      ends && (ends.exact === undefined || bare === ends.exact || bare === ends.exact.toUpperCase());
    if (isName) found = { at, end: index + bare.length };
  }
  return found;
}

function* namesAnywhere(text: string, names: ReadonlySet<string>, longest: number) {
  if (names.size === 0 || !WITHOUT_SPACES.test(text)) return;
  for (let start = 0; start < text.length; start++) {
    for (let end = Math.min(text.length, start + longest); end > start; end--) {
      const value = text.slice(start, end);
      if (!names.has(value)) continue;
      yield { kind: 'name', start, end, value } as const;
      start = end - 1;
      break;
    }
  }
}
