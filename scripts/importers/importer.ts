import type { CanonicalOptions, ConvertedRow } from '../../evals/cases/index.ts';

/** Converts the raw files of one public repository, or of one general kind, to cases. */
export interface Importer {
  /** The name on the command line. */
  readonly format: string;
  /** Where such files come from and how correctness is decided, in a line. */
  readonly describe: string;
  /** Which files to name, in a line. */
  readonly accepts: string;
  /**
   * The rows of the files, in the given order: each has a prompt and the outcomes of one or more models.
   * @throws PlimsollError: a file that does not exist, is not of this format, or cannot be read as a whole
   */
  rows(files: readonly string[], options: CanonicalOptions): AsyncIterable<ConvertedRow>;
  /** Whether it uses the options. Other importers know their files. Default false. */
  readonly readsCases?: true;
}
