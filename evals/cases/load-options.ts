import { PlimsollError } from '../../router/errors.ts';
import { DEFAULT_QUALITY_FIELD } from './outcome-of.ts';

export interface LoadOptions {
  /** The numeric field of each outcome that holds the label, 0..1. An outcome without it counts as missing. Default `quality`. */
  readonly qualityField?: string;
  /** Keep these models' outcomes only, and only the rows that have all of them. Default: whatever each row has. */
  readonly models?: readonly string[];
  /** The largest share of rows, 0..1, that may be rejected before the run stops. Default 0.02. */
  readonly maxRejectShare?: number;
  /** Where to write the rejected rows as JSON Lines. */
  readonly rejectsFile?: string;
  /** Called after every 1,000 rows with the rows read so far, over all files. */
  readonly onProgress?: (rowsRead: number) => void;
}

/** Options with their defaults. */
export interface LoadSettings {
  readonly qualityField: string;
  readonly models: readonly string[] | undefined;
  readonly maxRejectShare: number;
  readonly rejectsFile: string | undefined;
  readonly onProgress: (rowsRead: number) => void;
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
    qualityField: options.qualityField ?? DEFAULT_QUALITY_FIELD,
    models: models === undefined ? undefined : [...new Set(models)],
    maxRejectShare,
    rejectsFile: options.rejectsFile,
    onProgress: options.onProgress ?? (() => {}),
  };
}
