import type { Paraphrase } from '../cases/index.ts';
import type { FlipCount } from './conditions/subject.ts';
import { harmlesslyEdited } from './harmless-edits.ts';
import type { HarmlessEdit } from './suite.ts';

/** The rung that the policy chooses for a text. */
export type Decide = (text: string) => Promise<number>;

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
    for (const [row, text] of texts.entries()) {
      const edited = harmlesslyEdited(text, edit);
      if (edited === undefined) continue;
      n++;
      if ((await decide(edited)) !== rungs[row]) flipped++;
    }
    counts.push({ edit, n, flipped });
  }
  return counts;
}

/** Two wordings of one request that are decided differently. */
export async function countParaphraseFlips(pairs: readonly Paraphrase[], decide: Decide): Promise<FlipCount> {
  let flipped = 0;
  for (const { a, b } of pairs) if ((await decide(a)) !== (await decide(b))) flipped++;
  return { edit: 'paraphrase', n: pairs.length, flipped };
}
