/** What one check found. */
export interface Finding {
  /** What was looked at, such as `port`. */
  readonly check: string;
  /** `skipped`: it could not be looked at, and `text` says why. */
  readonly status: 'ok' | 'warning' | 'fault' | 'skipped';
  /** A sentence. */
  readonly text: string;
  /** What to do about it. */
  readonly fix?: string;
}

type Finder = (text: string, fix?: string) => Finding;
/** A fault is told with what to do about it. */
type FaultFinder = (text: string, fix: string) => Finding;

/** Makers of findings of one check. */
export function findingsOf(
  check: string,
): Readonly<Record<Exclude<Finding['status'], 'fault'>, Finder> & { readonly fault: FaultFinder }> {
  const finder =
    (status: Finding['status']): Finder =>
    (text, fix) => ({ check, status, text, ...(fix !== undefined && { fix }) });
  return { ok: finder('ok'), warning: finder('warning'), fault: finder('fault'), skipped: finder('skipped') };
}
