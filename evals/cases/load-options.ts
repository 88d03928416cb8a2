import { PlimsollError } from '../../router/errors.ts';
import type { ColumnMap } from './column-map.ts';
import { DEFAULT_QUALITY_FIELD } from './outcome-of.ts';
import type { QualityScale } from './quality-scale.ts';
import type { RejectedRow } from './reject-log.ts';

export interface LoadOptions {
  /** How qualities are written, in every file. Default: what each file shows, see QualitySurvey. */
  readonly qualityScale?: QualityScale;
  /** Names of Plimsoll -> names in the data, where they differ. */
  readonly columns?: ColumnMap;
  /** The numeric field of each outcome that holds the label. An outcome without it counts as missing. Default `quality`. */
  readonly qualityField?: string;
  /** Keep these models' outcomes only, and only the rows that have all of them. Default: whatever each row has. */
  readonly models?: readonly string[];
  /** The largest share of rows, 0..1, that may be rejected before the run stops. Default 0.02. */
  readonly maxRejectShare?: number;
  /** Where to write the rejected rows as JSON Lines. */
  readonly rejectsFile?: string;
  /** Called after every 1,000 rows with the rows read so far, over all files. */
  readonly onProgress?: (rowsRead: number) => void;
  /** The same for the pass before, which finds out how the files are written. */
  readonly onSurvey?: (rowsRead: number) => void;
  /** Hears each rejected row. */
  readonly onReject?: (row: RejectedRow) => void;
  /** No case is no error: the caller looks at what was rejected. Default false. */
  readonly mayBeEmpty?: boolean;
}

/** Options with their defaults. */
export interface LoadSettings {
  readonly qualityScale: QualityScale | undefined;
  readonly columns: ColumnMap;
  readonly qualityField: string;
  readonly models: readonly string[] | undefined;
  readonly maxRejectShare: number;
  readonly rejectsFile: string | undefined;
  readonly onProgress: (rowsRead: number) => void;
  readonly onSurvey: (rowsRead: number) => void;
  readonly onReject: (row: RejectedRow) => void;
  readonly mayBeEmpty: boolean;
}

/** One bad row in fifty. More is a fault of the file, not of its rows. */
export const DEFAULT_MAX_REJECT_SHARE = 0.02;

/** @throws PlimsollError 'invalid-input': an option out of range */
export function loadSettings(options: LoadOptions): LoadSettings {
  const { maxRejectShare = DEFAULT_MAX_REJECT_SHARE, models } = options;
  if (!(maxRejectShare >= 0 && maxRejectShare <= 1)) {
    throw new PlimsollError(
      'invalid-input',
      `The largest share of rejected rows must be from 0 to 1; given: ${maxRejectShare}.`,
    );
  }
  if (models?.length === 0) throw new PlimsollError('invalid-input', 'The list of models is empty.');
  return {
    qualityScale: options.qualityScale,
    columns: options.columns ?? new Map(),
    qualityField: options.qualityField ?? DEFAULT_QUALITY_FIELD,
    models: models === undefined ? undefined : [...new Set(models)],
    maxRejectShare,
    rejectsFile: options.rejectsFile,
    onProgress: options.onProgress ?? (() => {}),
    onSurvey: options.onSurvey ?? (() => {}),
    onReject: options.onReject ?? (() => {}),
    mayBeEmpty: options.mayBeEmpty ?? false,
  };
}
