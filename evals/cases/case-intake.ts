import { basename } from 'node:path';
import { PlimsollError } from '../../router/errors.ts';
import type { Outcome } from '../../router/types.ts';
import { BadRow } from './bad-row.ts';
import { CaseCollector } from './case-collector.ts';
import { caseOf, checkedRow } from './case-of.ts';
import type { CheckedRow } from './case-row.ts';
import type { LoadSettings } from './load-options.ts';
import type { LoadedCases } from './loaded-cases.ts';
import { ModelSightings } from './model-sightings.ts';
import { outcomeOf } from './outcome-of.ts';
import type { RejectLog } from './reject-log.ts';
import { requireFewRejects } from './require-few-rejects.ts';

const PROGRESS_EVERY_ROWS = 1000;

/** Takes rows in, one at a time, and sorts them into cases, rejected and excluded. */
export class CaseIntake {
  readonly #settings: LoadSettings;
  readonly #rejects: RejectLog;
  readonly #collector = new CaseCollector();
  readonly #sightings: ModelSightings;
  #read = 0;
  #missingOutcome = 0;

  constructor(settings: LoadSettings, rejects: RejectLog) {
    this.#settings = settings;
    this.#rejects = rejects;
    this.#sightings = new ModelSightings(settings.qualityField);
  }

  get read(): number {
    return this.#read;
  }

  get qualityField(): string {
    return this.#settings.qualityField;
  }

  countDuplicate(): void {
    this.#collector.duplicates += 1;
  }

  /** One row with all of a prompt's outcomes. `parse` may throw BadRow. */
  addRow(file: string, line: number, parse: () => unknown): void {
    this.readRow(file, line, () => {
      const row = checkedRow(parse());
      this.addCase(file, line, row, this.outcomesOf(row.outcomes));
    });
  }

  /** Counts a row and does something with it; a BadRow that this throws becomes a rejected row. */
  readRow(file: string, line: number, use: () => void): void {
    this.#read += 1;
    this.rejectIfBad(file, line, use);
    if (this.#read % PROGRESS_EVERY_ROWS === 0) this.#settings.onProgress(this.#read);
  }

  addCase(file: string, line: number, row: CheckedRow, outcomes: ReadonlyMap<string, Outcome>): void {
    const wanted = this.#settings.models ?? [];
    const one = caseOf(row, outcomes, `${basename(file)}:${line}`);
    const complete = outcomes.size > 0 && wanted.every((model) => outcomes.has(model));
    if (complete) this.#collector.add(one, `${one.id}@${basename(file)}:${line}`);
    else this.#missingOutcome += 1;
  }

  finish(): Omit<LoadedCases, 'files'> {
    requireFewRejects(this.#rejects, this.#read, this.#settings.maxRejectShare);
    this.#sightings.requireModels(this.#settings.models ?? []);
    this.#sightings.requireQualityField();
    const cases = this.#collector.finish();
    if (cases.length === 0) throw this.#noCaseLeft();
    return {
      cases,
      read: this.#read,
      rejected: this.#rejects.kept,
      rejectedCount: this.#rejects.count,
      excluded: { missingOutcome: this.#missingOutcome, duplicates: this.#collector.duplicates },
    };
  }

  /** A BadRow that `use` throws becomes a rejected row. */
  rejectIfBad(file: string, line: number, use: () => void): void {
    try {
      use();
    } catch (error) {
      if (!(error instanceof BadRow)) throw error;
      this.#rejects.add(file, line, error);
    }
  }

  /** The labelled outcomes, of the models that are wanted. An undefined one was not labelled. */
  outcomesOf(outcomes: Readonly<Record<string, object | undefined>>): ReadonlyMap<string, Outcome> {
    const { models, qualityField } = this.#settings;
    this.#sightings.add(outcomes);
    const found = new Map<string, Outcome>();
    for (const model of models ?? Object.keys(outcomes)) {
      const row = Object.hasOwn(outcomes, model) ? outcomes[model] : undefined;
      const outcome = row && outcomeOf(row, qualityField, `outcomes.${model}`);
      if (outcome !== undefined) found.set(model, outcome);
    }
    return found;
  }

  #noCaseLeft(): PlimsollError {
    const { models, qualityField } = this.#settings;
    const wanted = models === undefined ? 'any model' : `all of ${models.join(', ')}`;
    return new PlimsollError(
      'insufficient-data',
      `No case is left: of ${this.#read} rows ${this.#rejects.count} were rejected and ${this.#missingOutcome} lack ` +
        `${qualityField} of ${wanted}.`,
    );
  }
}
