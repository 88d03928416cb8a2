import type { Outcome } from '../../router/types.ts';
import type { Case } from './case.ts';
import { meanOutcome } from './mean-outcome.ts';

/**
 * Gathers cases and folds duplicates: same key, same text and same group. The first stays, with each model's outcomes averaged
 * over all of them, since two labels of one prompt are two draws of the same quantity. Cases of other groups are kept apart, so
 * that no group loses its tie to the question.
 */
export class CaseCollector {
  readonly #cases: Case[] = [];
  readonly #indicesOfKey = new Map<string, number[]>();
  readonly #ids = new Set<string>();
  readonly #repeats = new Map<number, Case[]>();
  /** Outcomes folded into earlier ones, here or by whoever gathers a prompt's rows. */
  duplicates = 0;

  /** @param alternativeId taken instead of the case's id if another case has it already; unique by itself */
  add(one: Case, alternativeId: string): void {
    const indices = this.#indicesOfKey.get(one.key) ?? [];
    const first = indices.find((index) => isDuplicate(this.#cases[index], one));
    if (first === undefined) {
      indices.push(this.#cases.length);
      this.#indicesOfKey.set(one.key, indices);
      this.#cases.push(this.#ids.has(one.id) ? { ...one, id: alternativeId } : one);
      this.#ids.add(this.#cases[this.#cases.length - 1].id);
      return;
    }
    this.duplicates += 1;
    this.#repeats.set(first, [...(this.#repeats.get(first) ?? []), one]);
  }

  /** The cases in the order of their first rows. Call once. */
  finish(): Case[] {
    for (const [index, repeats] of this.#repeats) {
      const first = this.#cases[index];
      this.#cases[index] = { ...first, outcomes: meanOutcomes([first, ...repeats]) };
    }
    return this.#cases;
  }
}

function isDuplicate(one: Case, other: Case): boolean {
  return one.key === other.key && one.group === other.group && one.text === other.text;
}

function meanOutcomes(cases: readonly Case[]): ReadonlyMap<string, Outcome> {
  const all = new Map<string, Outcome[]>();
  for (const { outcomes } of cases) {
    for (const [model, outcome] of outcomes) all.set(model, [...(all.get(model) ?? []), outcome]);
  }
  return new Map([...all].map(([model, outcomes]) => [model, meanOutcome(outcomes)]));
}
