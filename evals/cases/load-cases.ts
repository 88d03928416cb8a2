import { PlimsollError } from '../../router/errors.ts';
import type { Case } from './case.ts';
import { type CaseFormat, caseFormatOf } from './case-format.ts';
import { CaseIntake } from './case-intake.ts';
import { fileError } from './file-error.ts';
import { type LoadOptions, loadSettings } from './load-options.ts';
import { openCaseFile } from './open-case-file.ts';
import { readJsonLines } from './read-json-lines.ts';
import { type RejectedRow, RejectLog } from './reject-log.ts';

/** A file that was read: what it was, and how much of it. */
export interface LoadedFile {
  readonly file: string;
  /** Of the bytes as stored, in hex. */
  readonly sha256: string;
  /** Rows of data: no header, no blank lines. */
  readonly rows: number;
}

export interface LoadedCases {
  readonly cases: readonly Case[];
  /** Rows read over all files. In JSON Lines and wide CSV: cases + rejected + all that is excluded. */
  readonly read: number;
  /** The first 1,000 rejected rows. */
  readonly rejected: readonly RejectedRow[];
  readonly rejectedCount: number;
  readonly excluded: {
    /** Prompts that lack an outcome of one of the models asked for, or have none at all. */
    readonly missingOutcome: number;
    /** Rows folded into an earlier case: see CaseCollector. */
    readonly duplicates: number;
  };
  readonly files: readonly LoadedFile[];
}

/**
 * Reads labelled cases from JSON Lines or CSV files, plain or gzipped: docs in training-data/ describe the rows.
 * A bad row is counted, kept and left out; too many of them stop the run. Files are streamed, and of a row only the case stays.
 *
 * @throws PlimsollError 'invalid-input': a file that cannot be read as cases, or more bad rows than allowed; 'not-found': a file,
 *   model or quality field that is not there; 'insufficient-data': no case is left; 'io': a file that may not be read or written
 */
export async function loadCases(files: readonly string[], options: LoadOptions = {}): Promise<LoadedCases> {
  if (files.length === 0) throw new PlimsollError('invalid-input', 'Name at least one file of cases.');
  const settings = loadSettings(options);
  const formats = files.map((file) => ({ file, format: caseFormatOf(file) }));
  const rejects = new RejectLog(settings.rejectsFile);
  try {
    const intake = new CaseIntake(settings, rejects);
    const loaded: LoadedFile[] = [];
    for (const { file, format } of formats) loaded.push(await loadFile(file, format, intake));
    return { ...intake.finish(), files: loaded };
  } finally {
    rejects.close();
  }
}

async function loadFile(file: string, format: CaseFormat, intake: CaseIntake): Promise<LoadedFile> {
  const before = intake.read;
  const { bytes, sha256 } = openCaseFile(file, format);
  try {
    await readJsonLines(bytes, (line, parse) => intake.addRow(file, line, parse));
  } catch (error) {
    throw fileError(file, error);
  }
  const rows = intake.read - before;
  if (rows === 0) {
    throw new PlimsollError('invalid-input', `${file}: the file is empty; there is no row in it.`, {
      place: { file },
    });
  }
  return { file, sha256: sha256(), rows };
}
