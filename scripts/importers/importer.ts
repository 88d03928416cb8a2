import type { CaseRow, ColumnMap, QualityScale } from '../../evals/cases/index.ts';

/** What an importer reads of one row of a raw file: a prompt, and what one or more models reached on it. */
export interface ImportedRow {
  /** Names the prompt within the import. Rows of one id are one case: their outcomes are put together. */
  readonly id: string;
  readonly source?: string;
  readonly task?: string;
  readonly split?: string;
  readonly group?: string;
  readonly language?: string;
  readonly system?: string;
  readonly context?: string;
  readonly key?: string;
  readonly prompt?: string;
  readonly messages?: CaseRow['messages'];
  readonly outcomes: CaseRow['outcomes'];
}

/** Where an importer puts what it reads. */
export interface Emit {
  /**
   * One row of a raw file. What `read` throws as BadRow makes it a rejected row; undefined leaves it out on purpose.
   * @param line the physical line, or in a JSON array the element, from 1
   */
  row(file: string, line: number, read: () => ImportedRow | undefined): void;
  /** A line for the person at the terminal, on how the files were read. */
  note(line: string): void;
}

/** How the importers of cases, `csv` and `jsonl`, read; the others know their files. */
export interface ReadingOptions {
  readonly qualityScale?: QualityScale;
  readonly columns?: ColumnMap;
  /** Called after every 1,000 rows of a pass with the rows read in it so far. */
  readonly onSurvey?: (rowsRead: number) => void;
}

/** Converts the raw files of one public repository, or of one general kind, to cases. */
export interface Importer {
  /** What the command line calls it. */
  readonly format: string;
  /** Where such files come from and how correctness is decided, in a line. */
  readonly describe: string;
  /** Which files to name, in a line. */
  readonly accepts: string;
  /**
   * Reads the files, in the order given, and emits their rows.
   * @throws PlimsollError: a file that is not there, not of this format, or broken as a whole
   */
  import(paths: readonly string[], emit: Emit, options: ReadingOptions): Promise<void>;
  /** Whether it takes ReadingOptions. Default false. */
  readonly readsCases?: true;
}
