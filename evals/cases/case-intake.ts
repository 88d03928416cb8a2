import { basename } from 'node:path';
import { PlimsollError } from '../../router/errors.ts';
import type { Outcome } from '../../router/types.ts';
import { BadRow } from './bad-row.ts';
import { CaseCollector } from './case-collector.ts';
import { caseOf, checkedRow } from './case-of.ts';
import type { CheckedRow } from './case-row.ts';
import type { FieldNames } from './field-names.ts';
import type { LoadSettings } from './load-options.ts';
import type { LoadedCases } from './loaded-cases.ts';
import { LongRows } from './long-rows.ts';
import { ModelNames } from './model-names.ts';
import { outcomeOf } from './outcome-of.ts';
import type { NumberRules } from './quality-scale.ts';
import type { RejectLog } from './reject-log.ts';
import { rejectLines, requireFewRejects } from './require-few-rejects.ts';
import { inElement, type Row } from './rows.ts';
import { shownNames } from './shown-name.ts';

const PROGRESS_EVERY_ROWS = 1000;

/** Takes files in, one at a time, and sorts their rows into cases, rejected and excluded. */
export class CaseIntake {
  readonly #settings: LoadSettings;
  readonly #rejects: RejectLog;
  readonly #collector = new CaseCollector();
  readonly #models: ModelNames;
  readonly #names: FieldNames;
  #read = 0;
  #missingOutcome = 0;

  constructor(settings: LoadSettings, rejects: RejectLog, names: FieldNames) {
    this.#settings = settings;
    this.#rejects = rejects;
    this.#names = names;
    this.#models = new ModelNames(settings.qualityField, settings.models);
  }

  /** Reads a file to its end. Returns the number of its rows. */
  async takeFile(file: string, rows: AsyncIterable<Row>, rules: NumberRules): Promise<number> {
    const before = this.#read;
    const long = new LongRows();
    for await (const row of rows) {
      this.#read += 1;
      this.#rejectIfBad(file, row.line, () => inElement(row, () => this.#take(file, row, rules, long)));
      if (this.#read % PROGRESS_EVERY_ROWS === 0) this.#settings.onProgress(this.#read);
    }
    for (const { line, row, outcomes } of long.prompts()) {
      this.#rejectIfBad(file, line, () => this.#addCase(file, line, row, outcomes));
    }
    this.#collector.duplicates += long.duplicates;
    return this.#read - before;
  }

  finish(): Omit<LoadedCases, 'files'> {
    const unread = this.#names.notes();
    const { mayBeEmpty, maxRejectShare } = this.#settings;
    requireFewRejects(this.#rejects, this.#read, maxRejectShare, unread);
    const cases = this.#collector.finish();
    if (cases.length > 0 || !mayBeEmpty) {
      this.#models.requireModels(unread);
      this.#models.requireQualityField();
      if (cases.length === 0) throw this.#noCaseLeft(unread);
    }
    return {
      cases,
      read: this.#read,
      rejected: this.#rejects.kept,
      rejectedCount: this.#rejects.count,
      rejectKinds: this.#rejects.kinds,
      excluded: { missingOutcome: this.#missingOutcome, duplicates: this.#collector.duplicates },
      notes: [...unread, ...this.#models.doubtful(this.#read)],
    };
  }

  #take(file: string, { line, read }: Row, rules: NumberRules, long: LongRows): void {
    const { fields, long: isLong } = read();
    const row = checkedRow(fields);
    const outcomes = this.#outcomesOf(row, rules);
    if (isLong) long.add(line, row, outcomes);
    else this.#addCase(file, line, row, outcomes);
  }

  #addCase(file: string, line: number, row: CheckedRow, outcomes: ReadonlyMap<string, Outcome>): void {
    const wanted = this.#settings.models ?? [];
    const one = caseOf(row, outcomes, `${basename(file)}:${line}`);
    const complete = outcomes.size > 0 && wanted.every((model) => outcomes.has(model));
    if (complete) this.#collector.add(one, `${one.id}@${basename(file)}:${line}`);
    else this.#missingOutcome += 1;
  }

  /** A BadRow that `use` throws becomes a rejected row. */
  #rejectIfBad(file: string, line: number, use: () => void): void {
    try {
      use();
    } catch (error) {
      if (!(error instanceof BadRow)) throw error;
      this.#settings.onReject(this.#rejects.add(file, line, error));
    }
  }

  /** The labelled outcomes, of the models that are wanted. */
  #outcomesOf({ outcomes }: CheckedRow, rules: NumberRules): ReadonlyMap<string, Outcome> {
    this.#models.add(outcomes);
    const found = new Map<string, Outcome>();
    for (const [model, name] of this.#models.wantedIn(outcomes)) {
      const outcome = outcomeOf(outcomes[name]!, this.#settings.qualityField, `outcomes.${name}`, rules);
      if (outcome !== undefined) found.set(model, outcome);
    }
    return found;
  }

  #noCaseLeft(unread: readonly string[]): PlimsollError {
    const { models, qualityField } = this.#settings;
    const wanted = models === undefined ? 'any model' : `all of ${shownNames(models)}`;
    const first = `No case is left: of ${this.#read} rows ${this.#rejects.count} were rejected and ${this.#missingOutcome} lack ${qualityField} of ${wanted}.`;
    return new PlimsollError(
      'insufficient-data',
      [first, ...rejectLines(this.#rejects.kinds), ...unread].join('\n'),
    );
  }
}
