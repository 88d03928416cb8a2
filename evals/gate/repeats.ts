import type { Bets } from '../threshold/index.ts';
import type { TextHashes } from './case-fingerprints.ts';
import type { Replay } from './replay.ts';

/** From this share of the cases on, copies that are all but equal are mentioned: a few come about by chance, and move no bound. */
const MANY_COPIES = 0.01;

/** Says which requests repeat a text or a group: the bound takes each unit as a draw of its own. */
export function dependenceNote({ traits }: Replay, bets: Bets): { note?: string } {
  const notes = bets.unitEnds === undefined ? repeatsOfRequests(traits, bets) : repeatsOfUnits(traits, bets);
  return notes.length === 0 ? {} : { note: notes.join('; ') };
}

function repeatsOfUnits(traits: Replay['traits'], { rows, unitEnds, unitsAre = 'groups' }: Bets): string[] {
  const firsts = Array.from(unitEnds!, (_, unit) => rows[unit === 0 ? 0 : unitEnds![unit - 1]!]!);
  const alike =
    firsts.length - countDistinct(Float64Array.from(firsts, (row) => traits[row]!.numberlessHash));
  return [
    `${firsts.length} ${unitsAre}, each one bet`,
    ...(isMany(alike, firsts.length)
      ? [
          `${alike} of them begin with a text that differs from another's only in its numbers: if these are copies, give them one ${unitsAre.slice(0, -1)}`,
        ]
      : []),
  ];
}

function repeatsOfRequests(traits: Replay['traits'], { rows }: Bets): string[] {
  const groups = new Set<string>();
  let grouped = 0;
  for (let i = 0; i < rows.length; i++) {
    const { group } = traits[rows[i]!]!;
    if (group === undefined) continue;
    groups.add(group);
    grouped++;
  }
  const n = rows.length;
  const { repeats, copies, alike } = countRepeats((hash) =>
    Float64Array.from(rows, (row) => traits[row]![hash]),
  );
  const repeated = [
    ...repeatWords({ repeats, copies }, n, 'cases'),
    ...(groups.size < grouped ? [`${grouped} cases come from ${groups.size} groups`] : []),
  ];
  return [
    ...(repeated.length > 0
      ? [
          `${repeated.join(', ')}: the bound takes each as a request of its own. If whole conversations or users were sampled, set sampling: groups`,
        ]
      : []),
    ...(isMany(alike, n)
      ? [
          `${alike} of ${n} cases differ from another only in numbers within the text: if these are copies and no questions of their own, give them one group, and set sampling: groups`,
        ]
      : []),
  ];
}

/** How many of some texts are there before: word for word, as copies of another, and differing from another in numbers alone. */
export interface Repeats {
  readonly repeats: number;
  readonly copies: number;
  readonly alike: number;
}

/** @param hashesOf one hash of each text, in a column that may be sorted in place */
export function countRepeats(hashesOf: (hash: keyof TextHashes) => Float64Array): Repeats {
  const column = hashesOf('textHash');
  const n = column.length;
  const texts = countDistinct(column);
  const [uncopied, numberless] = [
    countDistinct(hashesOf('copyHash')),
    countDistinct(hashesOf('numberlessHash')),
  ];
  return { repeats: n - texts, copies: texts - uncopied, alike: uncopied - numberless };
}

/** What of n texts repeats, in words; nothing if little does. @param what they are, in the plural */
export function repeatWords(
  { repeats, copies }: Pick<Repeats, 'repeats' | 'copies'>,
  n: number,
  what: string,
): string[] {
  return [
    ...(repeats > 0 ? [`${repeats} of ${n} ${what} repeat the text of another`] : []),
    ...(isMany(copies, n)
      ? [
          `${copies} of ${n} ${what} differ from another only in case, white space, punctuation or a number at either end`,
        ]
      : []),
  ];
}

/** What of a pool of prompts repeats, as a note; undefined if little does. */
export function poolNote(found: Pick<Repeats, 'repeats' | 'copies'>, n: number): string | undefined {
  const words = repeatWords(found, n, 'prompts of the pool');
  if (words.length === 0) return undefined;
  return `${words.join(', ')}: the share below the limit takes each as a request of its own. If these are copies and no traffic, plan with a pool without them`;
}

function isMany(copies: number, n: number): boolean {
  return copies > 0 && copies >= MANY_COPIES * n;
}

/** Sorts in place: a set of a million numbers would take ten times the memory. */
function countDistinct(numbers: Float64Array): number {
  numbers.sort();
  return numbers.reduce((count, one, i) => count + Number(i === 0 || one !== numbers[i - 1]), 0);
}
