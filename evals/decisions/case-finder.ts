import { type Case, questionKey } from '../cases/index.ts';
import type { StatedDecision } from './forms.ts';

/** What a case is found by. */
export type Findable = Pick<Case, 'id' | 'text'> & Partial<Pick<Case, 'key' | 'outcomes'>>;

/** How a row named the cases that were found. */
export interface Found {
  readonly by: 'id' | 'key' | 'prompt';
  /** Places of the cases; more than one if several share the name. */
  readonly at: readonly number[];
}

type Index = ReadonlyMap<string, readonly number[]>;

/** Finds the cases that a row speaks of. */
export class CaseFinder {
  readonly #byId: Index;
  readonly #byKey: Index;
  readonly #byText: Index;
  readonly #byQuestion: Index;

  constructor(cases: readonly Findable[]) {
    this.#byId = indexOf(cases, ({ id }) => id);
    this.#byKey = indexOf(cases, ({ key }) => key);
    this.#byText = indexOf(cases, ({ text }) => text);
    this.#byQuestion = indexOf(cases, ({ text }) => questionKey(text));
  }

  /** By id, else by key, else by the text of the prompt, else by its words; undefined if none of them is of a case. */
  find({ id, key, text }: StatedDecision): Found | undefined {
    const byId = id === undefined ? undefined : this.#byId.get(id);
    if (byId !== undefined) return { by: 'id', at: byId };
    const byKey = key === undefined ? undefined : this.#byKey.get(key);
    if (byKey !== undefined) return { by: 'key', at: byKey };
    if (text === undefined) return undefined;
    const byPrompt = this.#byText.get(text) ?? this.#byQuestion.get(questionKey(text));
    return byPrompt && { by: 'prompt', at: byPrompt };
  }
}

function indexOf(cases: readonly Findable[], nameOf: (one: Findable) => string | undefined): Index {
  const index = new Map<string, number[]>();
  for (const [at, one] of cases.entries()) {
    const name = nameOf(one);
    if (name === undefined) continue;
    const known = index.get(name);
    if (known === undefined) index.set(name, [at]);
    else known.push(at);
  }
  return index;
}
