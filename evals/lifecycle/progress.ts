/** How far long work has come. */
export interface Progress {
  readonly step:
    | 'reading cases'
    | 'embedding'
    | 'training'
    | 'cross-validation, fold'
    | 'scoring'
    | 'replaying';
  /** Left out at the start of a step. */
  readonly done?: number;
  readonly total?: number;
  /** The outcome of the step: in its last report only. */
  readonly summary?: string;
}

export type OnProgress = (progress: Progress) => void;
