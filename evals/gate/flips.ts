import type { Paraphrase } from '../cases/index.ts';
import type { HarmlessEdit } from './suite.ts';

/** Decisions that one kind of harmless edit was tried on. */
export interface FlipCount {
  readonly edit: string;
  readonly n: number;
  /** Decisions that the edit changed, in either direction. */
  readonly flipped: number;
  /** Those of them that it moved to a cheaper rung, where quality may be lost. */
  readonly cheaper: number;
}

/**
 * The rung that the policy chooses for a text.
 * @param row of the text that it is an edit of; undefined for one of its own
 */
export type Decide = (text: string, row?: number) => Promise<number>;

/** Tries each kind of edit on each text. Texts that an edit leaves as they are do not count for it. */
export async function countFlips(
  texts: readonly string[],
  rungs: ArrayLike<number>,
  edits: readonly HarmlessEdit[],
  decide: Decide,
): Promise<FlipCount[]> {
  const counts: FlipCount[] = [];
  for (const edit of edits) {
    let n = 0;
    let flipped = 0;
    let cheaper = 0;
    for (const [row, text] of texts.entries()) {
      const edited = harmlesslyEdited(text, edit);
      if (edited === undefined) continue;
      n++;
      const rung = await decide(edited, row);
      if (rung !== rungs[row]) flipped++;
      if (rung < rungs[row]!) cheaper++;
    }
    counts.push({ edit, n, flipped, cheaper });
  }
  return counts;
}

/** Two wordings of one request that are decided differently. Neither is the first, so that one of them always gets the cheaper rung. */
export async function countParaphraseFlips(pairs: readonly Paraphrase[], decide: Decide): Promise<FlipCount> {
  let flipped = 0;
  for (const { a, b } of pairs) if ((await decide(a)) !== (await decide(b))) flipped++;
  return { edit: 'paraphrase', n: pairs.length, flipped, cheaper: flipped };
}

/** Code keeps its case: there it has a meaning. */
const CODE = /(```[\s\S]*?(?:```|$)|`[^`\n]*`)/;
const SENTENCE_END = /([.!?]) (?=\S)/g;
const LAST_MARK = /[.!?。！？]$/;

/**
 * Edits after which a person asks for the same thing. Each is one function of the text; if it changes nothing (a text without
 * capitals) the case does not count for it.
 */
const EDITS: Readonly<Record<HarmlessEdit, (text: string) => string>> = {
  case: (text) =>
    text
      .split(CODE)
      .map((part, i) => (i % 2 === 0 ? part.toLowerCase() : part))
      .join(''),
  'white-space': (text) => `${text.replace(SENTENCE_END, '$1  ').replace(/\n/g, '\n\n')}\n`,
  politeness: (text) => `Hello, could you please help me with this? ${text} Thank you!`,
  punctuation: (text) => (LAST_MARK.test(text) ? text.replace(LAST_MARK, '') : `${text}.`),
};

/** The edited text, or undefined if the edit leaves it as it is. */
function harmlesslyEdited(text: string, edit: HarmlessEdit): string | undefined {
  const edited = EDITS[edit](text);
  return edited === text ? undefined : edited;
}
