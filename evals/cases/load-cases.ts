import { basename } from 'node:path';
import { PlimsollError } from '../../router/errors.ts';
import type { Outcome, Reply } from '../../router/types.ts';
import {
  BadRow,
  type ColumnMap,
  caseFormat,
  emptyFile,
  FieldNames,
  FileHash,
  fileScaleName,
  type NumberRules,
  type QualityScale,
  type RejectedRow,
  type RejectKind,
  RejectLog,
  rejectLines,
  rulesOf,
  scaleNotes,
  shownNames,
} from '../case-files/index.ts';
import { buildCase, type Case, type ParsedRow, parseCaseRow } from './case.ts';
import { CaseCollector, LongRows } from './collect-cases.ts';
import { ladderNotes, ModelNames } from './models.ts';
import { DEFAULT_QUALITY_FIELD, parseOutcome, parseUnlabelledReply } from './outcome.ts';
import { type Row, RowIds, readRows, type SurveyOptions, surveyFiles } from './rows.ts';

export interface LoadOptions {
  /** How qualities are written, in every file. Default: what each file shows, see QualitySurvey. */
  readonly qualityScale?: QualityScale;
  /** Fields that have other names in the data. */
  readonly columns?: ColumnMap;
  /** The numeric field of each outcome that holds the label. An outcome without it counts as missing. Default `quality`. */
  readonly qualityField?: string;
  /** Keep only these models' outcomes, and only the rows that have all of them. Default: whatever each row has. */
  readonly models?: readonly string[];
  /**
   * Keep the cases that lack outcomes, some or all, with those that they have; `outcomes` may be missing too. Default false: they are left
   * out.
   */
  readonly keepUnlabelled?: boolean;
  /** Keep what is known about the replies, texts too, which take most of the memory. Default false: it is checked and left out. */
  readonly keepReplies?: boolean;
  /** Read how many requests each row stands for. Default false: then a weight other than 1 is refused. */
  readonly keepWeights?: boolean;
  /** The largest share of rows, 0..1, that may be rejected before the run stops. Default 0.02. */
  readonly maxRejectShare?: number;
  /** Where to write the rejected rows as JSON Lines. */
  readonly rejectsFile?: string;
  /** Called after every 1,000 rows with the number of rows read so far, over all files. */
  readonly onProgress?: (rowsRead: number) => void;
  /** The same for the first pass, which finds out how the files are written. */
  readonly onSurvey?: (rowsRead: number) => void;
  /** Called with each rejected row. */
  readonly onReject?: (row: RejectedRow) => void;
  /** Return what there is instead of an error if no case is left, or none is labelled. Default false. */
  readonly mayBeEmpty?: boolean;
}

/** A file that was read. */
export interface LoadedFile {
  readonly file: string;
  /** Hash of the stored bytes, in hex. */
  readonly sha256: string;
  /** Rows of data, without the header and blank lines. */
  readonly rows: number;
  /** How its qualities are written, such as 0-100, unless they are numbers from 0 to 1. */
  readonly qualityScale?: string;
}

export interface LoadedCases {
  readonly cases: readonly Case[];
  /**
   * Rows of data over all files. In JSON Lines and wide CSV: cases + rejected + excluded, but for kept cases without all outcomes, which
   * are both. In long CSV a prompt has many rows.
   */
  readonly read: number;
  /** The first 1,000 rejected rows. */
  readonly rejected: readonly RejectedRow[];
  readonly rejectedCount: number;
  /** All rejected rows by reason, the most frequent first. */
  readonly rejectKinds: readonly RejectKind[];
  readonly excluded: {
    /** Prompts without an outcome of each wanted model, or of any model; with `keepUnlabelled` they are among the cases. */
    readonly missingOutcome: number;
    /** Rows that are further labels of an earlier case: of the same id, or in long CSV of the same prompt and model. See CaseCollector. */
    readonly duplicates: number;
  };
  readonly files: readonly LoadedFile[];
  /** How the files were read, for a person, a line each: scales, names that were not read. */
  readonly notes: readonly string[];
  /** Names of columns and fields that were not read, the first thousand. */
  readonly unread: readonly string[];
}

/**
 * Reads labelled cases from files of JSON, CSV or tab-separated values, plain or gzipped: see readRows. A bad row is counted, logged and
 * left out; too many of them stop the run. Files are streamed twice, first to see how numbers are written. Only the cases are kept.
 *
 * @throws PlimsollError 'invalid-input': a file that cannot be read as cases, or more bad rows than allowed; 'not-found': a file,
 *   model, column or quality field that does not exist; 'insufficient-data': no case is left; 'io': a file without permission
 */
export async function loadCases(files: readonly string[], options: LoadOptions = {}): Promise<LoadedCases> {
  if (files.length === 0) throw new PlimsollError('invalid-input', 'Name at least one file of cases.');
  const settings = resolveOptions(options);
  files.forEach(caseFormat);
  const names = new FieldNames(settings.qualityField, options.columns, {
    outcomesOptional: settings.keepUnlabelled,
  });
  const rejects = new RejectLog(options.rejectsFile);
  try {
    const surveyed = await surveyFiles(files, settings, names);
    const loader = new CaseLoader(settings, names, rejects);
    const loaded: LoadedFile[] = [];
    for (const { file, rules } of surveyed) loaded.push(await loader.load(file, rules));
    const done = loader.finish();
    return { ...done, notes: [...scaleNotes(surveyed), ...done.notes], files: loaded };
  } finally {
    rejects.close();
  }
}

/**
 * What a person should know about the data before any figures, a line each: rejected rows by kind, how the files were read, a ladder that
 * contradicts the data.
 * @param models the ladder, cheapest first
 */
export function dataNotes(
  { cases, notes, rejectKinds }: Pick<LoadedCases, 'cases' | 'notes' | 'rejectKinds'>,
  models: readonly string[],
): string[] {
  return [...rejectLines(rejectKinds), ...notes, ...ladderNotes(cases, models)];
}

interface LoadSettings extends SurveyOptions {
  readonly qualityField: string;
  readonly keepUnlabelled: boolean;
  readonly keepReplies: boolean;
  readonly keepWeights: boolean;
  readonly maxRejectShare: number | undefined;
  readonly onProgress: (rowsRead: number) => void;
  readonly onReject: (row: RejectedRow) => void;
  readonly mayBeEmpty: boolean;
}

/** @throws PlimsollError 'invalid-input': an option out of range */
function resolveOptions(options: LoadOptions): LoadSettings {
  const { maxRejectShare, models } = options;
  if (maxRejectShare !== undefined && !(maxRejectShare >= 0 && maxRejectShare <= 1)) {
    throw new PlimsollError(
      'invalid-input',
      `The largest share of rejected rows must be from 0 to 1; given: ${maxRejectShare}.`,
    );
  }
  if (models?.length === 0) throw new PlimsollError('invalid-input', 'The list of models is empty.');
  return {
    models: models === undefined ? undefined : [...new Set(models)],
    qualityScale: options.qualityScale,
    qualityField: options.qualityField ?? DEFAULT_QUALITY_FIELD,
    keepUnlabelled: options.keepUnlabelled ?? false,
    keepReplies: options.keepReplies ?? false,
    keepWeights: options.keepWeights ?? false,
    maxRejectShare,
    onSurvey: options.onSurvey ?? (() => {}),
    onProgress: options.onProgress ?? (() => {}),
    onReject: options.onReject ?? (() => {}),
    mayBeEmpty: options.mayBeEmpty ?? false,
  };
}

const PROGRESS_EVERY_ROWS = 1000;

/** The second pass: sorts the rows of all files into cases, rejected and excluded. */
class CaseLoader {
  readonly #settings: LoadSettings;
  readonly #names: FieldNames;
  readonly #rejects: RejectLog;
  readonly #models: ModelNames;
  readonly #collector = new CaseCollector();
  #read = 0;
  /** Left out for that. */
  #missingOutcome = 0;

  constructor(settings: LoadSettings, names: FieldNames, rejects: RejectLog) {
    this.#settings = settings;
    this.#names = names;
    this.#rejects = rejects;
    this.#models = new ModelNames(settings.qualityField, settings.models);
  }

  async load(file: string, rules: NumberRules): Promise<LoadedFile> {
    const hash = new FileHash();
    const ids = new RowIds(file);
    const longRows = new LongRows();
    const before = this.#read;
    for await (const row of readRows(file, this.#names, hash.update)) {
      this.#read += 1;
      try {
        this.#addRow(file, row, rules, ids, longRows);
      } catch (error) {
        this.#reject(file, row, error);
      }
      if (this.#read % PROGRESS_EVERY_ROWS === 0) this.#settings.onProgress(this.#read);
    }
    for (const { line, row, outcomes } of longRows.prompts()) {
      try {
        this.#addCase(file, line, row, outcomes, ids);
      } catch (error) {
        this.#reject(file, { line }, error);
      }
    }
    this.#collector.duplicates += longRows.duplicates;
    const rows = this.#read - before;
    if (rows === 0) throw emptyFile(file);
    const qualityScale = fileScaleName(rules);
    return { file, sha256: hash.digest(), rows, ...(qualityScale !== undefined && { qualityScale }) };
  }

  finish(): Omit<LoadedCases, 'files'> {
    const unread = this.#names.notes();
    const { mayBeEmpty, maxRejectShare, keepUnlabelled } = this.#settings;
    this.#rejects.requireFew(this.#read, maxRejectShare, unread);
    const cases = this.#collector.finish();
    const labelled = keepUnlabelled ? cases.filter((one) => this.#isLabelled(one)).length : cases.length;
    const missingOutcome = this.#missingOutcome + cases.length - labelled;
    if (labelled > 0 || !mayBeEmpty) {
      if (keepUnlabelled && this.#models.isEmpty) throw this.#noCaseLeft(missingOutcome, unread);
      this.#models.requireModels(unread);
      this.#models.requireQualityField();
      if (labelled === 0) throw this.#noCaseLeft(missingOutcome, unread);
    }
    return {
      cases,
      read: this.#read,
      rejected: this.#rejects.kept,
      rejectedCount: this.#rejects.count,
      rejectKinds: this.#rejects.kinds,
      excluded: { missingOutcome, duplicates: this.#collector.duplicates },
      notes: [...unread, ...this.#models.typoNotes(this.#read), ...sharedLabelNotes(cases)],
      unread: this.#names.unread(),
    };
  }

  #addRow(file: string, { line, content }: Row, rules: NumberRules, ids: RowIds, longRows: LongRows): void {
    if (content instanceof BadRow) throw content;
    const row = parseCaseRow(content.fields, this.#settings.keepUnlabelled);
    const replies = new Map<string, Reply>();
    const outcomes = this.#wantedOutcomes(row, rules, replies);
    if (content.long) longRows.add(line, row, outcomes);
    else this.#addCase(file, line, row, outcomes, ids, replies);
  }

  /** @param unlabelled gets the replies without a label, if these are wanted */
  #wantedOutcomes(
    { outcomes }: ParsedRow,
    rules: NumberRules,
    unlabelled: Map<string, Reply>,
  ): ReadonlyMap<string, Outcome> {
    const { qualityField, keepReplies } = this.#settings;
    this.#models.add(outcomes);
    const found = new Map<string, Outcome>();
    for (const [model, name] of this.#models.wantedIn(outcomes)) {
      const [fields, place] = [outcomes[name]!, `outcomes.${name}`];
      const reply = parseUnlabelledReply(fields, qualityField, place, rules);
      if (reply !== undefined) {
        if (keepReplies) unlabelled.set(model, reply);
        continue;
      }
      const outcome = parseOutcome(fields, qualityField, place, rulesOf(model, rules));
      if (outcome === undefined) continue;
      const { reply: _, ...labels } = outcome;
      found.set(model, keepReplies ? outcome : labels);
    }
    return found;
  }

  #addCase(
    file: string,
    line: number,
    row: ParsedRow,
    outcomes: ReadonlyMap<string, Outcome>,
    ids: RowIds,
    unlabelled?: ReadonlyMap<string, Reply>,
  ): void {
    const one = buildCase(row, outcomes, ids.resolve(row, line, false), {
      unlabelledReplies: unlabelled,
      keepWeight: this.#settings.keepWeights,
    });
    if (!this.#settings.keepUnlabelled && !this.#isLabelled(one)) this.#missingOutcome += 1;
    else this.#collector.add(one, { givenId: row.id != null, place: `${basename(file)}:${line}` });
  }

  /** Whether it has all outcomes that are wanted. */
  #isLabelled({ outcomes }: Case): boolean {
    return outcomes.size > 0 && (this.#settings.models ?? []).every((model) => outcomes.has(model));
  }

  #reject(file: string, { line, element }: Pick<Row, 'line' | 'element'>, error: unknown): void {
    if (!(error instanceof BadRow)) throw error;
    this.#settings.onReject(this.#rejects.add(file, line, error.inElement(element)));
  }

  #noCaseLeft(missingOutcome: number, unread: readonly string[]): PlimsollError {
    const { models, qualityField, keepUnlabelled } = this.#settings;
    const what = keepUnlabelled ? 'labelled' : 'left';
    const wanted = models === undefined ? 'any model' : `all of ${shownNames(models)}`;
    const first = `No case is ${what}: of ${this.#read} rows ${this.#rejects.count} were rejected and ${missingOutcome} lack ${qualityField} of ${wanted}.`;
    const { lines, hints } = this.#rejects;
    return new PlimsollError('insufficient-data', [first, ...lines, ...hints, ...unread].join('\n'));
  }
}

/** One line if cases share labels: a column `label` may have been meant otherwise. */
function sharedLabelNotes(cases: readonly Case[]): string[] {
  const labels = cases.flatMap(({ label }) => label ?? []);
  const distinct = new Set(labels).size;
  if (distinct === labels.length) return [];
  return [
    `${labels.length} cases have a label, ${distinct} of them distinct: cases of one label rest on one labelled reply. If that is not meant, rename the field label.`,
  ];
}
