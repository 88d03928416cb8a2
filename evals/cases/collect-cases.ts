import { isDeepStrictEqual } from 'node:util';
import { mean } from '../../router/statistics/index.ts';
import type { Outcome } from '../../router/types.ts';
import { BadRow } from '../case-files/index.ts';
import { type Case, type ParsedRow, statedWeight } from './case.ts';
import { promptId } from './rows.ts';

/**
 * Collects cases. Rows with the same id in the data and the same key, text and group are labels of one request: the first row stays, with
 * each model's outcomes averaged, since they are draws of the same quantity. All other rows are requests of their own, however equal their
 * texts are: merging them would measure the mean over distinct prompts, and not over the traffic that they were drawn from.
 */
export class CaseCollector {
  readonly #cases: Case[] = [];
  /** Those with an id in the data, by id, key and group. */
  readonly #casesById = new Map<string, Case[]>();
  /** Further labels, by the case that stays. */
  readonly #repeats = new Map<Case, Case[]>();
  readonly #ids = new Set<string>();
  /** Rows that are further labels of an earlier case. */
  duplicates = 0;

  /**
   * @param source whether the data have the id, and the file and line, which make an id unique that is taken by another case
   * @throws BadRow: a further label of a case that stands for another number of requests; which of the rows comes first must decide nothing
   */
  add(one: Case, { givenId, place }: { readonly givenId: boolean; readonly place: string }): void {
    const name = JSON.stringify([one.id, one.key, one.group]);
    const first = givenId && this.#casesById.get(name)?.find(({ text }) => text === one.text);
    if (!first) {
      const added = this.#add(one, place);
      if (!givenId) return;
      const sameId = this.#casesById.get(name);
      if (sameId === undefined) this.#casesById.set(name, [added]);
      else sameId.push(added);
      return;
    }
    if (one.weight !== first.weight) throw otherWeight(one.weight, first.weight);
    this.duplicates += 1;
    const repeats = this.#repeats.get(first);
    if (repeats === undefined) this.#repeats.set(first, [one]);
    else repeats.push(one);
  }

  /** The cases in the order of their first rows. */
  finish(): readonly Case[] {
    if (this.#repeats.size === 0) return this.#cases;
    return this.#cases.map((first) => {
      const repeats = this.#repeats.get(first);
      return repeats === undefined ? first : mergeRepeats([first, ...repeats]);
    });
  }

  #add(one: Case, place: string): Case {
    let { id } = one;
    for (let copy = 1; this.#ids.has(id); copy++) id = `${one.id}@${place}${copy === 1 ? '' : `#${copy}`}`;
    const added = id === one.id ? one : { ...one, id };
    this.#ids.add(id);
    this.#cases.push(added);
    return added;
  }
}

function otherWeight(weight = 1, earlier = 1): BadRow {
  return new BadRow(
    `stands for ${weight} requests (weight, or 1 / sampling_probability), and an earlier row of the same id and text for ${earlier}; give both the same`,
    'weight',
  );
}

/** The rows of one prompt so far. */
interface PromptRows {
  readonly line: number;
  readonly row: ParsedRow;
  readonly outcomes: Map<string, Outcome[]>;
}

/**
 * Collects rows with one model's outcome each. Rows belong to one prompt by their id, or without one by prompt and context, wherever they
 * are in the file; the prompt's other fields are those of its first row. Two rows of one model are duplicates, which are averaged. A row
 * with an empty quality only adds its prompt.
 */
export class LongRows {
  readonly #prompts = new Map<string, PromptRows>();
  /** Rows of a model that the prompt had already. */
  duplicates = 0;

  /** @throws BadRow: another prompt under the same id, or another weight */
  add(line: number, row: ParsedRow, outcomes: ReadonlyMap<string, Outcome>): void {
    const prompt = this.#findOrAdd(line, row);
    for (const [model, outcome] of outcomes) {
      const known = prompt.outcomes.get(model);
      if (known === undefined) prompt.outcomes.set(model, [outcome]);
      else {
        known.push(outcome);
        this.duplicates += 1;
      }
    }
  }

  /** One row for each prompt, in the order of their first rows, with mean outcomes. */
  *prompts(): Generator<{ line: number; row: ParsedRow; outcomes: ReadonlyMap<string, Outcome> }> {
    for (const { line, row, outcomes } of this.#prompts.values()) {
      yield { line, row, outcomes: new Map([...outcomes].map(([model, all]) => [model, meanOutcome(all)])) };
    }
  }

  #findOrAdd(line: number, row: ParsedRow): PromptRows {
    const id = promptId(row);
    const known = this.#prompts.get(id);
    if (known === undefined) {
      const added = { line, row, outcomes: new Map() };
      this.#prompts.set(id, added);
      return added;
    }
    const same = known.row.prompt === row.prompt && known.row.context === row.context;
    if (same && JSON.stringify(known.row.messages) === JSON.stringify(row.messages)) {
      const [weight, earlier] = [statedWeight(row), statedWeight(known.row)];
      if (weight !== undefined && weight !== (earlier ?? 1)) throw otherWeight(weight, earlier);
      return known;
    }
    throw new BadRow(`not the prompt that line ${known.line} has under the same id`, 'prompt');
  }
}

/** The first case with the outcomes of all, and the first label and plan of labels that one of them has. */
function mergeRepeats(cases: readonly [Case, ...Case[]]): Case {
  const label = cases.find((one) => one.label !== undefined)?.label;
  const labelPlan = cases.find((one) => one.labelPlan !== undefined)?.labelPlan;
  return {
    ...cases[0],
    ...(label !== undefined && { label }),
    ...(labelPlan !== undefined && { labelPlan }),
    outcomes: meanOutcomes(cases),
  };
}

function meanOutcomes(cases: readonly Case[]): ReadonlyMap<string, Outcome> {
  const all = new Map<string, Outcome[]>();
  for (const { outcomes } of cases) {
    for (const [model, outcome] of outcomes) {
      const known = all.get(model);
      if (known === undefined) all.set(model, [outcome]);
      else known.push(outcome);
    }
  }
  return new Map([...all].map(([model, outcomes]) => [model, meanOutcome(outcomes)]));
}

/** The mean of several labels is no better than the worst of them; undefined stands for what nobody knows. */
const LEAST_TRUSTED = ['judge', 'feedback', undefined, 'grader', 'human'] as const;

const AMOUNTS = ['inputTokens', 'outputTokens', 'costUsd', 'latencyMs'] as const;

/**
 * The mean of a model's outcomes on one prompt. Tokens, cost and latency are averaged over the outcomes that have them. A reply stays only
 * if all are the same: the mean quality of several is that of none of them.
 * @param outcomes at least one
 */
function meanOutcome(outcomes: readonly Outcome[]): Outcome {
  const [first, ...others] = outcomes;
  if (first !== undefined && others.length === 0) return first;
  const amounts = AMOUNTS.flatMap((field) => {
    const values = outcomes.flatMap((outcome) => outcome[field] ?? []);
    return values.length === 0 ? [] : [[field, mean(values)] as const];
  });
  const reply = outcomes.every((one) => isDeepStrictEqual(one.reply, first?.reply)) && first?.reply;
  const labelSource = LEAST_TRUSTED.find((source) => outcomes.some((one) => one.labelSource === source));
  const judged = outcomes.flatMap(({ judgedQuality }) => judgedQuality ?? []);
  return {
    quality: mean(outcomes.map(({ quality }) => quality)),
    ...(labelSource !== undefined && { labelSource }),
    ...(judged.length === outcomes.length && { judgedQuality: mean(judged) }),
    ...Object.fromEntries(amounts),
    ...(reply && { reply }),
  };
}
