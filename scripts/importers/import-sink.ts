import {
  BadRow,
  type CaseRow,
  caseOf,
  checkedRow,
  DEFAULT_QUALITY_FIELD,
  outcomeOf,
  type RejectLog,
  shownName,
} from '../../evals/cases/index.ts';
import type { Emit, ImportedRow } from './importer.ts';

/** Puts the rows of one id together, checks them as loadCases would and counts what it cannot use. */
export class ImportSink implements Emit {
  readonly #rows = new Map<string, ImportedRow>();
  readonly #rejects: RejectLog;
  readonly #onProgress: (rowsRead: number) => void;
  readonly models = new Set<string>();
  read = 0;
  readonly notes: string[] = [];
  /** Rows left out on purpose, such as those that the source's own evaluation drops. */
  excluded = 0;

  constructor(rejects: RejectLog, onProgress: (rowsRead: number) => void = () => {}) {
    this.#rejects = rejects;
    this.#onProgress = onProgress;
  }

  row(file: string, line: number, read: () => ImportedRow | undefined): void {
    this.read += 1;
    this.#onProgress(this.read);
    try {
      const row = read();
      if (row === undefined) this.excluded += 1;
      else this.#add(row);
    } catch (error) {
      if (!(error instanceof BadRow)) throw error;
      this.#rejects.add(file, line, error);
    }
  }

  note(line: string): void {
    this.notes.push(line);
  }

  /** The cases in the order of their first rows, each with its key. */
  *cases(): Generator<CaseRow> {
    for (const row of this.#rows.values()) yield { ...row, key: keyOf(row) };
  }

  get size(): number {
    return this.#rows.size;
  }

  #add(row: ImportedRow): void {
    requireUsable(row);
    const known = this.#rows.get(row.id);
    this.#rows.set(row.id, known === undefined ? row : merged(known, row));
    for (const model of Object.keys(row.outcomes)) this.models.add(model);
  }
}

function requireUsable(row: ImportedRow): void {
  const models = Object.keys(row.outcomes);
  if (models.length === 0) throw new BadRow('no model has a label', 'outcomes');
  for (const model of models) outcomeOf(row.outcomes[model], DEFAULT_QUALITY_FIELD, `outcomes.${model}`);
  keyOf(row);
}

function keyOf(row: ImportedRow): string {
  return caseOf(checkedRow(row), new Map(), row.id).key;
}

function merged(known: ImportedRow, row: ImportedRow): ImportedRow {
  if (requestOf(known) !== requestOf(row)) {
    throw new BadRow(`not the prompt that an earlier row has under the id ${shownName(row.id)}`, 'prompt');
  }
  const twice = Object.keys(row.outcomes).find((model) => Object.hasOwn(known.outcomes, model));
  if (twice !== undefined)
    throw new BadRow('this model has a label for the prompt already', `outcomes.${twice}`);
  return { ...known, outcomes: { ...known.outcomes, ...row.outcomes } };
}

function requestOf({ prompt, messages, context, system }: ImportedRow): string {
  return JSON.stringify([prompt, messages, context, system]);
}
