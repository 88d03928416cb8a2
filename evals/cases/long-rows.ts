import type { Outcome } from '../../router/types.ts';
import { BadRow } from './bad-row.ts';
import type { CheckedRow } from './case-row.ts';
import { meanOutcome } from './mean-outcome.ts';

/** The rows of one prompt so far. */
export interface PromptRows {
  readonly line: number;
  readonly row: CheckedRow;
  readonly outcomes: Map<string, Outcome[]>;
}

/**
 * Gathers rows that hold one model's outcome each. They belong together by their id, or without one by prompt and context, wherever they
 * are in the file; the prompt's other fields are those of its first row. Two rows of one model count as a duplicate and are averaged.
 * A row with an empty quality only says that there is such a prompt.
 */
export class LongRows {
  readonly #prompts = new Map<string, PromptRows>();
  /** Outcomes of a model that the prompt had already. */
  duplicates = 0;

  /** @throws BadRow: another prompt under the same id */
  add(line: number, row: CheckedRow, outcomes: ReadonlyMap<string, Outcome>): void {
    const rows = this.#rowsOfPrompt(line, row);
    for (const [model, outcome] of outcomes) {
      const known = rows.outcomes.get(model);
      if (known === undefined) rows.outcomes.set(model, [outcome]);
      else {
        known.push(outcome);
        this.duplicates += 1;
      }
    }
  }

  /** One row for each prompt, in the order of their first rows, with the means of its outcomes. */
  *prompts(): Generator<{ line: number; row: CheckedRow; outcomes: ReadonlyMap<string, Outcome> }> {
    for (const { line, row, outcomes } of this.#prompts.values()) {
      yield { line, row, outcomes: new Map([...outcomes].map(([model, all]) => [model, meanOutcome(all)])) };
    }
  }

  #rowsOfPrompt(line: number, row: CheckedRow): PromptRows {
    const name = promptName(row);
    const known = this.#prompts.get(name);
    if (known === undefined) {
      const rows = { line, row, outcomes: new Map() };
      this.#prompts.set(name, rows);
      return rows;
    }
    const same = known.row.prompt === row.prompt && known.row.context === row.context;
    if (same && JSON.stringify(known.row.messages) === JSON.stringify(row.messages)) return known;
    throw new BadRow(`not the prompt that line ${known.line} has under the same id`, 'prompt');
  }
}

/** Names the prompt of a row within its file. */
export function promptName({ id, prompt, messages, context }: CheckedRow): string {
  return id == null ? JSON.stringify([prompt, messages, context]) : `id ${id}`;
}
